"""Read a whole story for its owner to take away, page by page: no story is ever in memory, however long it is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from mindstage.kit import clock
from mindstage.stories import paths
from mindstage.stories.models import Story, Turn
from mindstage.stories.stage import Stage
from mindstage.vault import raw
from mindstage.vault.fields import allow
from mindstage.vault.keys import item_key
from mindstage.vault.purposes import Purpose
from mindstage.vault.raw import as_moment
from mindstage.vault.sealing import Unreadable, open_sealed, place

PAGE = 1_000
"""Rows read at a time. The key is asked for anew each time, so an erasure ends a running export within one page."""

UNREADABLE = "[This turn cannot be read: what lies in the database does not open.]"

_COLUMNS = (
    "id, position, variant, CASE WHEN chosen THEN 1 ELSE 0 END, kind, state, problem, "
    "CASE WHEN edited THEN 1 ELSE 0 END, trashed_at, client_id, text"
)
_ZERO = uuid.UUID(int=0)
_PLACE = place(Turn._meta.db_table, "text", _ZERO, _ZERO)[:-32]


@dataclass(frozen=True, slots=True)
class Opened:
    """A story's own facts, opened. `modified` is when it was last played."""

    row: Story
    title: str
    stage: Stage
    modified: datetime

    @property
    def id(self) -> uuid.UUID:
        return self.row.pk


@dataclass(frozen=True, slots=True)
class Version:
    """One opened text of a place. `text` is None where it does not open."""

    id: uuid.UUID
    variant: int
    chosen: bool
    state: str
    edited: bool
    text: str | None

    @property
    def words(self) -> str:
        return UNREADABLE if self.text is None else self.text

    @property
    def made_at(self) -> datetime:
        return moment_of(self.id)


@dataclass(frozen=True, slots=True)
class Spot:
    """One place of a path with all its versions that are not in the trash; `shown` is the chosen one."""

    position: int
    kind: str
    versions: tuple[Version, ...]
    shown: Version


def open_story(row: Story) -> Opened:
    """Raises KeyGone, Unreadable."""
    stage = Stage.from_bytes(row.open_bytes("stage", Purpose.EXPORT))
    return Opened(row, row.open("title", Purpose.EXPORT), stage, row.played_at.astimezone(UTC))


def read_pages(story: uuid.UUID, segment: uuid.UUID, *, upto: int | None = None) -> Iterator[list[tuple[Any, ...]]]:
    """A segment's rows by position and variant, PAGE at a time: `_COLUMNS`, with the text opened (None: unreadable)."""
    allow("story", Purpose.EXPORT)
    last = (-1, -1)
    cut, more = ("", []) if upto is None else (" AND position < %s", [upto])
    sql = (
        f"SELECT {_COLUMNS} FROM stories_turn WHERE segment_id = %s AND (position, variant) > (%s, %s){cut} "
        f"ORDER BY position, variant LIMIT {PAGE}"
    )
    while rows := raw.query(sql, [segment, *last, *more]):
        last = (rows[-1][1], rows[-1][2])
        yield _open_page(story, rows)
        if len(rows) < PAGE:
            return


def _open_page(story: uuid.UUID, rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    key, tail = item_key(story), story.bytes
    opened: list[tuple[Any, ...]] = []
    for row in rows:
        ident = row[0]
        name = bytes.fromhex(ident) if isinstance(ident, str) else ident.bytes
        try:
            text = open_sealed(key, bytes(row[10]), _PLACE + name + tail).decode()
        except Unreadable:
            text = None
        opened.append((*row[:10], text))
    return opened


def read_path(story: uuid.UUID, head: uuid.UUID) -> Iterator[Spot]:
    """The places of the path that ends with `head`, from the opening on; without those that lie in the trash."""
    for part in reversed([part for part in paths.walk(head) if not part.bare]):
        rows = (row for page in read_pages(story, part.segment, upto=part.upto) for row in page)
        for position, versions in groupby(rows, key=lambda row: int(row[1])):
            if (spot := _to_spot(position, [row for row in versions if row[8] is None])) is not None:
                yield spot


def _to_spot(position: int, rows: list[tuple[Any, ...]]) -> Spot | None:
    versions = tuple(Version(raw.as_uuid(row[0]), row[2], bool(row[3]), row[5], bool(row[7]), row[10]) for row in rows)
    shown = next((version for version in versions if version.chosen), None)
    return None if shown is None else Spot(position, rows[0][4], versions, shown)


def as_json_moment(value: object) -> str:
    """A moment out of a row as ISO 8601 in UTC."""
    return as_moment(value).isoformat()


def moment_of(ident: uuid.UUID) -> datetime:
    """When a UUIDv7 was made (RFC 9562); of any other identifier nobody knows, and it is now."""
    if ident.version != 7:
        return clock.now()
    return datetime.fromtimestamp((ident.int >> 80) / 1000, UTC)
