"""Fixtures that start the whole program, and a browser."""

from browser import browsers, chromium, open_page
from system.program import running_program

__all__ = ["browsers", "chromium", "open_page", "running_program"]
