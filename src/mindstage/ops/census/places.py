"""Where a census looks: every file of a folder as it lies there, and every value of every database in it."""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from mindstage.datamap.scanner import Scanner, Sighting
from mindstage.ops.census.strange import find_pictures

_SQLITE = b"SQLite format 3\0"
ON_SERVER = "server: "
"""How the names of places begin that are no files of the instance."""
LOG_OF_ALL = f"{ON_SERVER}pg_wal/"
"""Holds what every database of the server writes: a word of a census is known there, a picture may be anybody's."""


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A word that lies somewhere: where, and how it was written."""

    word: str
    place: str
    way: str


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """Where a value stands: `table.column`, and the identifier of its row."""

    column: str
    row: uuid.UUID


@dataclass(slots=True)
class Sweep:
    """What one look over a folder saw."""

    found: set[Found]
    files: dict[str, int]
    """Path inside the folder -> size in bytes."""
    elsewhere: dict[str, int] = field(default_factory=dict)
    """The same of what lies outside of it, on a server."""
    pictures: set[str] = field(default_factory=set)
    """Where a picture lies in clear: the place and its kind."""


class Lookout:
    """Looks through folders, one after the other. What it has seen before, byte for byte, it knows."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._known: dict[bytes, tuple[set[Sighting], set[str]]] = {}

    def sweep(self, folder: Path, elsewhere: Iterable[tuple[str, bytes]] = ()) -> Sweep:
        """Look through a folder, also while a program writes to it, and through what lies elsewhere: name, content.

        Raises OSError, sqlite3.Error.
        """
        seen = Sweep(set(), {})
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            name = str(path.relative_to(folder))
            try:
                content = path.read_bytes()
            except FileNotFoundError:  # a journal that was there a moment ago
                continue
            seen.files[name] = len(content)
            self._look(content, name, seen)
            if content.startswith(_SQLITE):
                for column, values in read_columns(path):
                    self._look(values, f"{name}: {column}", seen)
        for name, content in elsewhere:
            seen.elsewhere[name] = len(content)
            self._look(content, name, seen, for_pictures=not name.startswith(LOG_OF_ALL))
        return seen

    def _look(self, content: bytes, place: str, seen: Sweep, *, for_pictures: bool = True) -> None:
        digest = hashlib.sha256(content).digest()
        if digest not in self._known:
            self._known[digest] = self._scanner.scan(content), find_pictures(content)
        sightings, kinds = self._known[digest]
        seen.found |= {Found(one.word, place, one.way) for one in sightings}
        seen.pictures |= {f"{place} ({kind})" for kind in kinds if for_pictures}


def sweep(folder: Path, scanner: Scanner) -> Sweep:
    """One look. Raises OSError, sqlite3.Error."""
    return Lookout(scanner).sweep(folder)


def read_columns(database: Path) -> Iterator[tuple[str, bytes]]:
    """`table.column` and all its texts and bytes in one piece.

    A long value lies in the file in pages; a word across the border of two would be missed in the raw bytes.
    """
    with closing(open_to_read(database)) as opened:
        for table, column in list_columns(opened):
            rows = opened.execute(f'SELECT "{column}" FROM "{table}"')  # noqa: S608 - names out of the schema
            yield f"{table}.{column}", b"\0\n\0".join(_as_bytes(value) for (value,) in rows)


def open_to_read(database: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises sqlite3.Error."""
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=10)


def list_columns(opened: sqlite3.Connection) -> list[tuple[str, str]]:
    """Every column of every table."""
    return opened.execute(
        "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY 1"
    ).fetchall()


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b"" if value is None else str(value).encode("utf-8", "replace")
