"""How often Python looks for garbage while tests are collected and run: seldom, for little of it is any.

What is collected stays to the end, and a look goes through all of it.
"""

from __future__ import annotations

import gc
from typing import Final

SELDOM: Final = 50_000
"""Objects more than before, at each look; Python's own number is 2,000."""


def look_seldom() -> None:
    """Set before anything is imported for a test."""
    gc.set_threshold(SELDOM)


def pytest_collection_finish() -> None:
    """Whatever is there now is looked at no more."""
    gc.freeze()
