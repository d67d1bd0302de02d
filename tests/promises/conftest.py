"""What the issue of the first evening promises, tried on the program as people start it."""

from __future__ import annotations

from browser import browsers, chromium, open_page
from system.program import instance, running_program

__all__ = ["browsers", "chromium", "instance", "open_page", "running_program"]
