"""Mindstage: AI storytelling whose data policy is a property of the program."""

__version__ = "0.1.0"
