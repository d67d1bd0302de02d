"""The trash of every room: what lies in it, and when each thing ends.

A room whose things can be deleted registers one `Trash` for each kind in its `apps.py`. The page and
the night walk this registry, as exports and erasures walk the holdings. How long something lies there is what the map
promises, or less.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lying:
    """One thing in the trash. `title` is opened for its owner's page; `words` say what kind of thing it is.

    `after`: what is left of it for a while once it has ended, in a sentence; mostly nothing.
    """

    id: uuid.UUID
    words: str = field(repr=False)
    title: str = field(repr=False)
    trashed_on: date
    after: str = ""


class Trash(Protocol):
    """One kind of things. What has begun to end is no longer in it: it cannot be taken back out.

    A *part* is what the ledger names: of most things the thing itself, of a turn each of its versions.
    """

    name: str

    def count(self, owner: uuid.UUID) -> int:
        """How many things of a person lie there. To count them nothing is opened."""

    def lying(self, owner: uuid.UUID, *, most: int) -> list[Lying]:
        """The newest of them, the newest first."""

    def parts(self, item: uuid.UUID, *, owner: uuid.UUID) -> list[uuid.UUID]:
        """The parts of one thing. None when it does not lie there, or is not that person's."""

    def take_out(self, parts: Iterable[uuid.UUID]) -> bool:
        """Take one thing out, after the ledger's *keep*; False when its end has begun, also just now.

        One conditional UPDATE each, so that of an undo and a night one wins and both know it.
        """

    def due(self, up_to: date) -> list[uuid.UUID]:
        """Parts that came in on that day or before, and those whose end was begun and not finished."""

    def begin_end(self, parts: Iterable[uuid.UUID], *, up_to: date | None = None) -> list[uuid.UUID]:
        """From here there is no way back: those that still lie there, and with `up_to` are still due."""

    def end(self, parts: Iterable[uuid.UUID]) -> None:
        """End for good what was begun. Raises LedgerBroken, OSError."""


_trashes: dict[str, Trash] = {}


def register_trash(trash: Trash) -> None:
    """Called once for each kind, when the program opens."""
    _trashes[trash.name] = trash


def trashes() -> Iterable[Trash]:
    """Every kind's."""
    return tuple(_trashes.values())
