"""Words that are made while a sentence is: numbers of things, and commands as they are typed here."""

from __future__ import annotations

import os
import re
from typing import Final

CALLED: Final = "MINDSTAGE_CALLED"
"""The environment variable with which a script says how it is called: in a clone no `mindstage` is on PATH."""


def counted(count: int, one: str, many: str = "") -> str:
    """`1 row`, `2,000 rows`; `many` where an s is not enough."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def called() -> str:
    """What is typed to run this program."""
    return os.environ.get(CALLED, "mindstage")


def as_typed(sentence: str) -> str:
    """The sentence with each `mindstage …` as it is typed here."""
    return re.sub(r"(?<![\w/.-])mindstage (?=[a-z])", lambda _: f"{called()} ", sentence)
