"""Take one's data out of an instance and bring it into another: what the rooms and `rights` tell each other.

A room's holding gives files (`Holding.export`): a name, and its JSON value or its bytes, whole or in pieces.
A holding that can also take such files back is a `Porter`. docs/subsystems/export.md
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

IN_TRASH = "Something lay in the trash; it lies there again, and its days begin anew."
"""Another instance's clock ends nothing here."""


class Edition(bytes):
    """A whole file that says again, in another format, what data files say. Nothing is brought in from it."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A file as it comes, piece by piece. `edition`: as above."""

    parts: Iterator[bytes]
    edition: bool = True


class NotUnderstood(Exception):
    """A file of an archive is not what it should be. `sentence` says so to people; nothing was brought in."""

    def __init__(self, sentence: str) -> None:
        super().__init__("a file of an export is not what it should be")
        self.sentence = sentence


class Pack(Protocol):
    """An opened archive. Reading is bounded: no file comes back longer than it may be."""

    def names(self) -> Iterable[str]:
        """The data files, in their order."""

    def json(self, name: str) -> Any:
        """A file's JSON. Raises NotUnderstood."""

    def content(self, name: str) -> bytes:
        """A file's bytes. Raises NotUnderstood."""


@dataclass(slots=True)
class Report:
    """What became of an archive: what came in (by kind), what is kept as it is and unused, what nobody understood."""

    came_in: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    not_understood: Counter[str] = field(default_factory=Counter)
    """Both: a sentence, and how often it is to be said."""
    read: set[str] = field(default_factory=set)
    """The names of the files that some room has taken."""
    renamed: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)
    """Identifier in the archive -> identifier here."""
    begun: list[uuid.UUID] = field(default_factory=list)
    """What was begun so far, out of sight: all of it is taken back when anything fails."""
    at_last: list[Callable[[], None]] = field(default_factory=list)
    """What is left to do when everything is there, in one transaction: it is shown."""

    def name_anew(self, source: str) -> str:
        """`character:IDENTIFIER` under its identifier here, when that came in as well; anything else as it is."""
        kind, _, ident = source.partition(":")
        try:
            known = self.renamed.get(uuid.UUID(ident))
        except ValueError:
            return source
        return source if known is None else f"{kind}:{known}"

    def look_for_unknown(self, what: str, value: Mapping[str, Any], known: Collection[str]) -> None:
        """Say so when `what` has fields beside the `known` ones. Their names may be anybody's text, so they are not."""
        if value.keys() - known:
            self.not_understood[f"{what}: fields that this program does not know."] += 1


@runtime_checkable
class Porter(Protocol):
    """A holding that takes its files back."""

    def check(self, pack: Pack) -> None:
        """Read everything that `bring` would, and write nothing. Raises NotUnderstood."""

    def bring(self, person: uuid.UUID, pack: Pack, report: Report) -> None:
        """Write what `check` has read for an account of this instance, out of sight until `report.at_last` is done.

        Raises KeyGone.
        """

    def weigh(self, person: uuid.UUID) -> int:
        """How many things `export` will give: stories, characters. For the progress that a person sees."""


def words_of(title: str) -> str:
    """A few plain words of a title with a hyphen before them, for the name of a folder in the owner's own archive."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower())[:40].strip("-")
    return f"-{words}" if words else ""


def fresh_id(old: str, make: uuid.UUID) -> uuid.UUID:
    """An identifier for something brought in: `make`'s chance, `old`'s moment, so that order and dates stay.

    Both are UUIDv7; any other `old` is passed over.
    """
    try:
        known = uuid.UUID(old)
    except ValueError:
        return make
    if known.version != 7:
        return make
    low = (1 << 62) - 1
    return uuid.UUID(int=(known.int & ~low) | (make.int & low))
