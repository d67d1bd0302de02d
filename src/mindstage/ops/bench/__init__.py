"""Measurements that an operator can repeat: nothing here is part of a running instance."""
