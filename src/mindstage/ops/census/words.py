"""Words to plant: random, so that nothing else can hold them, and one for each place where something can be written."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

LETTERS: Final = 16
_PLAIN: Final = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
_ACCENTED: Final = "äöüéèñçåøłščžÄÖÜÉÑÅØŁŠČŽ"


class Fate(StrEnum):
    """What the program does with what is written in a place."""

    SEALED = "kept, sealed"
    """A do-nothing cipher makes it appear: that is how a census knows that it can see."""
    NEVER = "not kept"
    """It may appear in no file, however it is ciphered."""
    PASSING = "kept for a while, sealed"
    """It was kept and is gone again, so a control may see it or not."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One word. `shown`: the program shows it again to whoever wrote it, which proves that it was taken in."""

    slot: str
    word: str = field(repr=False)
    fate: Fate
    shown: bool = False


class Words:
    """The words of one census, by the place where each was written."""

    def __init__(self) -> None:
        self.planted: list[Planted] = []

    def plant(self, slot: str, fate: Fate, *, plain: bool = False, shown: bool = False) -> str:
        """A new word for a place. `plain`: ASCII letters alone, for where nothing else is allowed."""
        return self.add(slot, make_word(plain=plain), fate, shown=shown)

    def add(self, slot: str, word: str, fate: Fate, *, shown: bool = False) -> str:
        """A word that was made elsewhere: a cookie, an address."""
        self.planted.append(Planted(slot, word, fate, shown))
        return word


def make_word(*, plain: bool = False) -> str:
    """16 random letters of both cases, two of them accented unless `plain`: 80 bits that no packing makes shorter."""
    letters = [secrets.choice(_PLAIN) for _ in range(LETTERS)]
    if not plain:
        for place in (4, 11):
            letters[place] = secrets.choice(_ACCENTED)
    return "".join(letters)
