"""Fixtures that start the whole program, and a browser."""

from browser import chromium, open_page
from system.program import running_program

__all__ = ["chromium", "open_page", "running_program"]
