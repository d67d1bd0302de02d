"""The trash of every room: what lies in it, and when each thing ends.

A room whose items can be deleted registers one `Trash` in its `apps.py`. The page and the night walk this registry, as
exports and erasures walk the holdings. How long something lies there is what the map promises, or less.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lying:
    """One thing in the trash. `title` is opened for its owner's page; `words` say what kind of thing it is."""

    id: uuid.UUID
    words: str
    title: str = field(repr=False)
    trashed_on: date


class Trash(Protocol):
    """One room's trash. An item whose end has begun is no longer in it: it cannot be taken back out."""

    name: str

    def lying(self, owner: uuid.UUID) -> list[Lying]:
        """What of a person lies there, the newest first."""

    def due(self, up_to: date) -> list[uuid.UUID]:
        """Items that came in on that day or before, and those whose end was begun and not finished."""

    def due_turns(self, up_to: date) -> list[uuid.UUID]:
        """Parts of items that have no key of their own."""

    def begin_end(self, item: uuid.UUID, *, owner: uuid.UUID | None = None) -> bool:
        """From here there is no way back. False when it does not lie there (or is not that person's)."""


_trashes: dict[str, Trash] = {}


def register_trash(trash: Trash) -> None:
    """Called once by each room, when the program opens."""
    _trashes[trash.name] = trash


def trashes() -> Iterable[Trash]:
    """Every room's trash."""
    return tuple(_trashes.values())
