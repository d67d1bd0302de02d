"""What each room holds of a person: the registry through which exports, erasures and restores reach every room.

A room that keeps personal data registers one `Holding` in its `apps.py`. Whoever asks (rights, the vault's replay)
knows no other room: it walks this registry.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was cleared: from which store, by which method (delete, unlink, expire), how many."""

    store: str
    method: str
    count: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something of a subject that is still there. `place` names a store and table, never a content."""

    place: str
    count: int


@dataclass(frozen=True, slots=True)
class Rearmed:
    """What of one person has its full time again. `words` tell them so in their notice: what, and until when."""

    owner: uuid.UUID
    count: int
    words: str

    @classmethod
    def in_trash(cls, owner: uuid.UUID, count: int, what: tuple[str, str], until: date) -> Rearmed:
        """`what`: singular and plural."""
        return cls(owner, count, f"{count} {what[count != 1]} in the trash, until {until:%-d %B %Y}")


class Holding(Protocol):
    """One room's answer. Every method is harmless to repeat, and works in short transactions.

    A room in which things end by the night's clock has two more. `thaw(person) -> None`: what would have ended while an
    account was frozen, or soon, gets a few more days (datamap/retention.py). `rearm(day) -> Iterable[Rearmed]`: after a
    restore, running freezes and stays in the trash have their full time again from `day`.
    """

    name: str

    def subjects(self) -> Iterator[uuid.UUID]:
        """Every identifier that a ledger entry may mean: accounts, items, turns."""

    def export(self, person: uuid.UUID) -> Iterator[tuple[str, Any]]:
        """(name of a file, JSON value) of what this room holds of a person."""

    def erase(self, person: uuid.UUID) -> list[Cleared]:
        """Delete all rows of a person, in batches."""

    def erase_item(self, item: uuid.UUID) -> list[Cleared]:
        """Delete one item, or one turn, if it is of this room."""

    def keep(self, subject: uuid.UUID) -> None:
        """Undo a freeze or a stay in the trash, if the subject is of this room."""

    def remains(self, person: uuid.UUID) -> list[Finding]:
        """What is still there of a person. Empty after `erase`."""


_holdings: list[Holding] = []


def register(holding: Holding) -> None:
    """Called once by each room, when the program opens."""
    _holdings[:] = [other for other in _holdings if other.name != holding.name] + [holding]


def holdings() -> tuple[Holding, ...]:
    """Every room's holding: the highest rooms first, so that rows go before what they refer to."""
    return tuple(reversed(_holdings))
