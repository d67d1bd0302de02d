"""Walk a path of the tree: segments from the head towards the root, each a range of one index.

Cost: one small query and one range per segment that is touched. The last 60 turns of any path touch one segment, or
two just after a branch, however long the story is and wherever it forked. Beyond the first few segments the walk leaps:
one query finds hundreds, and which of them show a turn at all, so that no tree, however it was made or brought in,
holds up the one thread in which everybody's turns are stored.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from mindstage.vault import raw
from mindstage.vault.sealing import Sealed

STEPS = 4
"""Segments that are found one by one, before the walk leaps."""
LEAP = 256
COLUMNS = "id, position, variant, kind, state, problem, edited, text"


class TurnRow(NamedTuple):
    """A turn as it lies in the database, still sealed, and the segment it was found in."""

    segment: uuid.UUID
    id: uuid.UUID
    position: int
    variant: int
    kind: str
    state: str
    problem: str
    edited: bool
    text: Sealed


@dataclass(frozen=True, slots=True)
class Range:
    """The part of a segment that lies on a path: its positions below `upto` (None: to its end).

    `bare`: it is known to show no turn.
    """

    segment: uuid.UUID
    fork: int
    upto: int | None
    bare: bool = False


def walk(head: uuid.UUID, *, before: int | None = None) -> Iterator[Range]:
    """The ranges of the path that ends with `head`, newest first, below position `before`."""
    segment: uuid.UUID | None = head
    upto, steps = before, 0
    while segment is not None and steps < STEPS:
        rows = raw.query("SELECT parent_id, fork FROM stories_segment WHERE id = %s", [segment])
        if not rows:
            return
        parent, fork = rows[0]
        if upto is None or upto > fork:
            yield Range(segment, fork, upto)
            upto = fork
        segment, steps = raw.as_optional_uuid(parent), steps + 1
    if segment is not None and upto is not None:
        yield from _leap(segment, upto)


def _leap(start: uuid.UUID, upto: int) -> Iterator[Range]:
    """The rest of a walk, LEAP segments at a time."""
    segment: uuid.UUID | None = start
    while segment is not None:
        rows = raw.query(_LINE, [upto, segment, LEAP])
        for ident, _, fork, below, shows in rows:
            if below > fork:
                yield Range(raw.as_uuid(ident), fork, below, bare=not shows)
            upto = min(below, fork)
        segment = raw.as_optional_uuid(rows[-1][1]) if rows else None


_LINE = """
    WITH RECURSIVE line (id, parent_id, fork, below, number) AS (
        SELECT id, parent_id, fork, CAST(%s AS bigint), 1 FROM stories_segment WHERE id = %s
        UNION ALL
        SELECT s.id, s.parent_id, s.fork, CASE WHEN line.fork < line.below THEN line.fork ELSE line.below END,
            line.number + 1
        FROM line JOIN stories_segment s ON s.id = line.parent_id WHERE line.number < %s
    )
    SELECT id, parent_id, fork, below, EXISTS (
        SELECT 1 FROM stories_turn t
        WHERE t.segment_id = line.id AND t.position < line.below AND t.chosen AND t.trashed_at IS NULL
    ) FROM line ORDER BY number
"""


def read_back(head: uuid.UUID, *, before: int | None = None, limit: int, above: int = -1) -> list[TurnRow]:
    """The last `limit` turns of a path below position `before` and above position `above`, oldest first.

    Only chosen variants, and nothing that lies in the trash.
    """
    found: list[TurnRow] = []
    for part in walk(head, before=before):
        found += _read_range(part, above=above, limit=limit - len(found))
        if len(found) >= limit or part.fork <= above + 1:
            break
    found.reverse()
    return found


def find_on_path(head: uuid.UUID, position: int) -> TurnRow | None:
    """The chosen turn at one position of a path, if it is there and not in the trash."""
    found = read_back(head, before=position + 1, limit=1, above=position - 1)
    return found[0] if found else None


def read_end(head: uuid.UUID, *, limit: int) -> tuple[int, list[TurnRow]]:
    """The last position that a path has ever used, turns in the trash included (-1: none), and its last `limit` turns.

    The turns as `read_back` gives them; one walk for both, because every turn needs them.
    """
    last, found = -1, list[TurnRow]()
    for part in walk(head):
        if last < 0:
            last = _last_in(part)
        found += _read_range(part, above=-1, limit=limit - len(found))
        if len(found) >= limit or not part.fork:
            break
    found.reverse()
    return last, found


def segment_at(head: uuid.UUID, position: int) -> uuid.UUID | None:
    """The segment of a path that holds a position."""
    for part in walk(head):
        if position >= part.fork:
            return part.segment
    return None


def _last_in(part: Range) -> int:
    """The last position that was ever used in one part of a path; -1 for none."""
    if part.upto is not None:
        return part.upto - 1
    rows = raw.query("SELECT MAX(position) FROM stories_turn WHERE segment_id = %s", [part.segment])
    return -1 if rows[0][0] is None else int(rows[0][0])


def _read_range(part: Range, *, above: int, limit: int) -> list[TurnRow]:
    """Newest first, by no query where nothing shows.

    `position < upto` only where the range is cut, so that the index is read from its end.
    """
    if part.bare:
        return []
    conditions = ""
    values: list[Any] = [part.segment]
    if part.upto is not None:
        conditions += " AND position < %s"
        values.append(part.upto)
    if above >= 0:
        conditions += " AND position > %s"
        values.append(above)
    rows = raw.query(
        f"SELECT {COLUMNS} FROM stories_turn WHERE segment_id = %s{conditions} AND chosen AND trashed_at IS NULL "
        "ORDER BY position DESC LIMIT %s",
        [*values, limit],
    )
    return [to_row(part.segment, row) for row in rows]


def to_row(segment: uuid.UUID, row: tuple[Any, ...]) -> TurnRow:
    ident, position, variant, kind, state, problem, edited, text = row
    return TurnRow(segment, raw.as_uuid(ident), position, variant, kind, state, problem, bool(edited), Sealed(text))
