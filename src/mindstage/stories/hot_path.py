"""The few raw queries on the path of a turn. They run in the database thread, and nowhere else.

Measured beside the ORM, the same steps cost a quarter (docs/performance.md); everything off this path uses the ORM.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from mindstage.accounts import sessions
from mindstage.accounts.sessions import Visitor
from mindstage.kit import clock, ids
from mindstage.stories import paths
from mindstage.stories.models import Story, Turn
from mindstage.stories.paths import TurnRow
from mindstage.stories.refusals import KeyLost, NotSignedIn, NotYours
from mindstage.vault import raw
from mindstage.vault.fields import allow, allowing
from mindstage.vault.keys import KeyGone, item_key
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Sealed, open_sealed, place, seal


def window_turns(context: int) -> int:
    """How many turns are read for a prompt of `context` tokens: 60, one range of an index, or more for a large one."""
    return max(60, context // 64)


def window_characters(context: int) -> int:
    """How many characters of them are opened: what `context` tokens hold of prose, so that tokens end the window."""
    return max(16_000, 4 * context)


@dataclass(frozen=True, slots=True)
class Scene:
    """Who plays which story, and what of it every act needs. `stage` is still sealed."""

    owner: uuid.UUID
    story: uuid.UUID
    head: uuid.UUID
    route: str
    stage: Sealed
    key: bytes = field(repr=False)


def enter(*, cookie: str, story: uuid.UUID, segment: uuid.UUID | None = None) -> Scene:
    """Find session, account and story by one query, and the story's key. Raises NotSignedIn, NotYours, KeyLost.

    `segment`: the branch that the page shows; it becomes the story's head when another tab has moved that elsewhere.
    """
    rows = raw.query(
        f"SELECT {sessions.COLUMNS}, t.id, t.head_id, t.route, t.stage FROM {sessions.TABLES} "
        "LEFT JOIN stories_story t ON t.id = %s AND t.owner_id = u.id AND t.trashed_on IS NULL WHERE s.key_hash = %s",
        [story, sessions.session_key_hash(cookie)],
    )
    visitor: Visitor | None = sessions.visitor_from_row(cookie, rows[0][: sessions.WIDTH]) if rows else None
    if visitor is None:
        raise NotSignedIn
    found, head, route, stage = rows[0][sessions.WIDTH :]
    if found is None or head is None:
        raise NotYours
    try:
        key = item_key(story)
    except KeyGone:
        raise KeyLost from None
    scene = Scene(visitor.account_id, story, raw.as_uuid(head), route, Sealed(stage), key)
    return scene if segment in (None, scene.head) else _turn_to(scene, segment)


def open_stage(scene: Scene) -> bytes:
    """The stage's JSON, for the prompt."""
    allow("story", Purpose.NARRATE, keyed_to=scene.story)
    return open_sealed(scene.key, scene.stage, place(Story._meta.db_table, "stage", scene.story, scene.story))


def open_text(scene: Scene, row: TurnRow) -> str:
    """The text of a turn, for the prompt."""
    return next(open_texts(scene, [row]))


def open_texts(scene: Scene, rows: Iterable[TurnRow]) -> Iterator[str]:
    """The texts of turns, for the prompt, one by one: whoever asks for no more opens no more. Allowed once for all."""
    opening = allowing("story", Purpose.NARRATE, keyed_to=scene.story)
    for row in rows:
        opening()
        yield open_sealed(scene.key, row.text, _place_of(row.id, scene)).decode()


def seal_text(scene: Scene, turn: uuid.UUID, text: str) -> Sealed:
    return seal(scene.key, text.encode(), _place_of(turn, scene))


def find_client_turn(story: uuid.UUID, client_id: uuid.UUID) -> TurnRow | None:
    """The turn that an act of the page made before, if it did."""
    rows = raw.query(
        f"SELECT segment_id, {paths.COLUMNS} FROM stories_turn WHERE story_id = %s AND client_id = %s",
        [story, client_id],
    )
    return _row(rows[0]) if rows else None


def find_reply(scene: Scene, reply: uuid.UUID) -> TurnRow | None:
    """A reply of this story that stands on its path: what may be drawn again."""
    rows = raw.query(
        f"SELECT segment_id, {paths.COLUMNS} FROM stories_turn WHERE id = %s AND story_id = %s AND kind = 'reply'",
        [reply, scene.story],
    )
    row = _row(rows[0]) if rows else None
    return row if row and paths.segment_at(scene.head, row.position) == row.segment else None


def reply_to(turn: TurnRow) -> uuid.UUID | None:
    """The reply that stands after a turn of a person."""
    rows = raw.query(
        "SELECT id FROM stories_turn WHERE segment_id = %s AND position = %s AND chosen AND kind = 'reply'",
        [turn.segment, turn.position + 1],
    )
    return raw.as_uuid(rows[0][0]) if rows else None


def count_running(scene: Scene) -> tuple[int, int]:
    """How many replies are being written in this story, and for its owner in all.

    What runs is looked at first (for SQLite by CROSS JOIN): it is little, and some have thousands of stories.
    """
    sql = (
        "SELECT COUNT(CASE WHEN s.id = %s THEN 1 END), COUNT(*) FROM stories_turn t CROSS JOIN stories_story s "
        "WHERE t.state = 'running' AND s.id = t.story_id AND s.owner_id = %s"
    )
    ((here, in_all),) = raw.query(sql, [scene.story, scene.owner])
    return here, in_all


def is_last(head: uuid.UUID, position: int) -> bool:
    return not paths.read_back(head, limit=1, above=position)


def insert_turn(
    scene: Scene, *, segment: uuid.UUID, position: int, kind: str, text: str, client_id: uuid.UUID | None
) -> TurnRow:
    """Seal and store a turn of the person."""
    turn = ids.sequential()
    sealed = seal_text(scene, turn, text)
    _insert(scene, turn, segment=segment, position=position, kind=kind, text=sealed, client_id=client_id)
    return TurnRow(segment, turn, position, 0, kind, Turn.State.FINISHED, "", False, sealed)


def open_reply(
    scene: Scene,
    *,
    segment: uuid.UUID,
    position: int,
    variant: int = 0,
    client_id: uuid.UUID | None = None,
    continues: TurnRow | None = None,
) -> uuid.UUID:
    """Store a running reply: empty, or with the words that it goes on from."""
    reply = ids.sequential()
    words = open_text(scene, continues) if continues else ""
    _insert(
        scene,
        reply,
        segment=segment,
        position=position,
        variant=variant,
        kind=Turn.Kind.REPLY,
        text=seal_text(scene, reply, words),
        state=Turn.State.RUNNING,
        client_id=client_id,
    )
    return reply


def unchoose(segment: uuid.UUID, position: int) -> int:
    """Make room for another variant of one place; the number it gets."""
    raw.execute(
        "UPDATE stories_turn SET chosen = %s WHERE segment_id = %s AND position = %s AND chosen",
        [False, segment, position],
    )
    rows = raw.query(
        "SELECT MAX(variant) FROM stories_turn WHERE segment_id = %s AND position = %s", [segment, position]
    )
    return int(rows[0][0]) + 1


def open_segment(scene: Scene, *, parent: uuid.UUID, fork: int) -> uuid.UUID:
    """Begin a branch: a new segment, which becomes the story's head."""
    segment = ids.sequential()
    raw.execute(
        "INSERT INTO stories_segment (id, story_id, parent_id, fork) VALUES (%s, %s, %s, %s)",
        [segment, scene.story, parent, fork],
    )
    raw.execute("UPDATE stories_story SET head_id = %s WHERE id = %s", [segment, scene.story])
    return segment


def touch_story(scene: Scene) -> None:
    """The story was played just now: it moves to the front of its owner's desk."""
    now = connection.ops.adapt_datetimefield_value(clock.now())
    raw.execute("UPDATE stories_story SET played_at = %s WHERE id = %s", [now, scene.story])


def keep_parts(parts: list[tuple[uuid.UUID, Sealed]]) -> None:
    """Store how far running replies have come. A reply that has ended meanwhile is left alone."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE stories_turn SET text = %s WHERE id = %s AND state = 'running'",
            [(bytes(text), raw.into(reply)) for reply, text in parts],
        )


def end_reply(reply: uuid.UUID, *, text: Sealed, state: str, problem: str = "") -> bool:
    """Store a reply whole and say how it ended; False when it had ended already or was erased."""
    return bool(
        raw.execute(
            "UPDATE stories_turn SET text = %s, state = %s, problem = %s WHERE id = %s AND state = 'running'",
            [bytes(text), state, problem, reply],
        )
    )


def mark_interrupted() -> int:
    """At the start: whatever still runs was cut off by the end of the last process. Its stored words are kept."""
    return raw.execute("UPDATE stories_turn SET state = %s WHERE state = %s", ["interrupted", "running"])


def _turn_to(scene: Scene, segment: uuid.UUID | None) -> Scene:
    if not raw.query("SELECT 1 FROM stories_segment WHERE id = %s AND story_id = %s", [segment, scene.story]):
        raise NotYours("This branch is no longer there. Reload the page to see the story as it is.")
    raw.execute("UPDATE stories_story SET head_id = %s WHERE id = %s", [segment, scene.story])
    return Scene(scene.owner, scene.story, segment, scene.route, scene.stage, scene.key)  # type: ignore[arg-type]


def _insert(
    scene: Scene,
    turn: uuid.UUID,
    *,
    segment: uuid.UUID,
    position: int,
    kind: str,
    text: Sealed,
    client_id: uuid.UUID | None,
    variant: int = 0,
    state: str = Turn.State.FINISHED,
) -> None:
    raw.execute(
        "INSERT INTO stories_turn (id, story_id, segment_id, position, variant, chosen, kind, text, state, problem, "
        "edited, client_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [turn, scene.story, segment, position, variant, True, kind, bytes(text), state, "", False, client_id],
    )


def _place_of(turn: uuid.UUID, scene: Scene) -> bytes:
    return place(Turn._meta.db_table, "text", turn, scene.story)


def _row(row: tuple[Any, ...]) -> TurnRow:
    return paths.to_row(raw.as_uuid(row[0]), row[1:])
