"""Prompts: from a story's texts to what a model is sent. Pure: no Django, no file, no clock, no connection."""
