"""Words that are made while a sentence is: numbers of things, and commands as they are typed here."""

from __future__ import annotations

import os
import re
from typing import Final

CALLED: Final = "MINDSTAGE_CALLED"
"""The environment variable with which a script says how it is called: in a clone no `mindstage` is on PATH."""

PLACES: Final = "MINDSTAGE_PLACES"
"""Another, with the options by which this command was told where its instance lies: the next one needs them too."""


def counted(count: int, one: str, many: str = "") -> str:
    """`1 row`, `2,000 rows`; `many` where an s is not enough."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def called() -> str:
    """What is typed to run this program."""
    return os.environ.get(CALLED, "mindstage")


def as_typed(sentence: str, *, on_a_page: bool = False) -> str:
    """The sentence with each `mindstage …` as it is typed here; a page that anybody may see tells no folder."""
    places = "" if on_a_page else os.environ.get(PLACES, "")
    told = f" {places}" if places else ""
    return re.sub(r"(?<![\w/.-])mindstage ([a-z][a-z-]*)", lambda found: f"{called()} {found[1]}{told}", sentence)
