"""Read a story for its page: a stretch of its path, opened, rendered, with the versions of each turn."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from mindstage.kit import ids
from mindstage.prompts.endings import SentenceWatch
from mindstage.stories import paths
from mindstage.stories.models import Story, Turn
from mindstage.stories.paths import TurnRow
from mindstage.stories.replay import past_of, sentence_of
from mindstage.stories.stage import Stage
from mindstage.ui import prose
from mindstage.vault import raw
from mindstage.vault.fields import allow
from mindstage.vault.keys import KeyGone, item_key
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable, open_sealed, place

PAGE = 50
"""Turns shown at once; older ones come by scrolling."""
MOST_NEWER = 400
EXCERPT = 240


@dataclass(frozen=True, slots=True)
class TurnView:
    """One turn as the page shows it. `variant_ids`: the version before and the one after, or None at the ends."""

    id: uuid.UUID
    position: int
    kind: str
    speaker: str
    html: str
    text: str
    state: str
    problem: str
    variant_number: int
    variant_count: int
    variant_ids: tuple[uuid.UUID | None, uuid.UUID | None]
    is_last: bool
    edited: bool

    @property
    def ends_early(self) -> bool:
        """Whether a reply was stopped, or its narrator's room ended, in the middle of a sentence."""
        return not self.mine and bool(self.text) and not SentenceWatch(self.text).at_end()

    @property
    def mine(self) -> bool:
        return self.kind in (Turn.Kind.DO, Turn.Kind.SAY, Turn.Kind.STORY, Turn.Kind.OOC)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Turns in order. `has_earlier`: the path goes on before them."""

    turns: list[TurnView]
    has_earlier: bool

    @property
    def first_position(self) -> int:
        return self.turns[0].position if self.turns else 0

    @property
    def last_position(self) -> int:
        return self.turns[-1].position if self.turns else -1


@dataclass(frozen=True, slots=True)
class StoryCard:
    """A story on the desk and in the list. `title` is None where it cannot be opened any more."""

    id: uuid.UUID
    title: str | None = field(repr=False)
    when: datetime
    url: str
    byline: str = field(repr=False, default="")
    excerpt: str = field(repr=False, default="")
    turns: int = 0

    @property
    def begun(self) -> datetime | None:
        """What tells two of one title apart; None where its number names no time."""
        return ids.made_at(self.id)


def open_stage(story: Story) -> Stage:
    """The stage of a story, for its owner's page."""
    return Stage.from_bytes(story.open_bytes("stage", Purpose.SHOW))


def read_stretch(story: Story, stage: Stage, *, before: int | None = None, after: int | None = None) -> Stretch:
    """The last PAGE turns, those before a position, or all that came after one."""
    if story.head_id is None:
        return Stretch([], has_earlier=False)
    if after is not None:
        rows = paths.read_back(story.head_id, above=after, limit=MOST_NEWER)
        return Stretch(_views(story, stage, rows), has_earlier=False)
    rows = paths.read_back(story.head_id, before=before, limit=PAGE + 1)
    shown = rows[-PAGE:]
    return Stretch(_views(story, stage, shown), has_earlier=len(rows) > PAGE)


def read_turn(story: Story, stage: Stage, turn: Turn) -> list[TurnView]:
    """The place of a turn as it stands now, on its own branch; empty when it is in the trash."""
    row = paths.find_on_path(turn.segment_id, turn.position)
    return _views(story, stage, [row]) if row else []


def read_card(story: Story, url: str) -> StoryCard:
    """A story for the desk: its title and the end of its last turn. One whose key is gone has its place still."""
    try:
        title, byline = story.open("title", Purpose.SHOW), open_stage(story).byline
    except (KeyGone, Unreadable):
        return StoryCard(story.pk, None, story.played_at, url)
    rows = paths.read_back(story.head_id, limit=2) if story.head_id else []
    number = rows[-1].position if rows else 0
    return StoryCard(story.pk, title, story.played_at, url, byline, _excerpt(story, rows), number)


def _excerpt(story: Story, rows: list[TurnRow]) -> str:
    """The first words of the last turn that has any; "" where it is damaged, as its page says."""
    try:
        texts = (prose.plain(open_row(story, row)) for row in reversed(rows))
        return shortened(next(filter(None, texts), ""), EXCERPT)
    except Unreadable:
        return ""


def _views(story: Story, stage: Stage, rows: list[TurnRow]) -> list[TurnView]:
    if not rows or story.head_id is None:
        return []
    versions = _versions(rows)
    last = paths.read_back(story.head_id, limit=1)
    last_position = last[0].position if last else -1
    return [_view(story, stage, row, versions[row.segment, row.position], last_position) for row in rows]


def _view(story: Story, stage: Stage, row: TurnRow, versions: list[uuid.UUID], last: int) -> TurnView:
    text = open_row(story, row)
    at = versions.index(row.id) if row.id in versions else 0
    return TurnView(
        id=row.id,
        position=row.position,
        kind=row.kind,
        speaker=_speaker(stage, row.kind),
        html=prose.render(prose.spoken(text) if row.kind == Turn.Kind.SAY else text),
        text=text,
        state=row.state,
        problem=_problem(row, last),
        variant_number=at + 1,
        variant_count=len(versions),
        variant_ids=(versions[at - 1] if at else None, versions[at + 1] if at + 1 < len(versions) else None),
        is_last=row.position == last,
        edited=row.edited,
    )


def _problem(row: TurnRow, last: int) -> str:
    if row.state != Turn.State.FAILED:
        return ""
    return sentence_of(row.problem) if row.position == last else past_of(row.problem)


def _versions(rows: Iterable[TurnRow]) -> dict[tuple[uuid.UUID, int], list[uuid.UUID]]:
    """All variants of the places that are shown, by one query for each segment they lie in."""
    places: dict[uuid.UUID, list[int]] = defaultdict(list)
    for row in rows:
        places[row.segment].append(row.position)
    found: dict[tuple[uuid.UUID, int], list[uuid.UUID]] = defaultdict(list)
    for segment, positions in places.items():
        sql = (
            "SELECT position, id FROM stories_turn WHERE segment_id = %s AND position BETWEEN %s AND %s "
            "AND trashed_at IS NULL ORDER BY position, variant"
        )
        for position, ident in raw.query(sql, [segment, min(positions), max(positions)]):
            found[segment, position].append(raw.as_uuid(ident))
    return found


def shortened(text: str, characters: int) -> str:
    """The beginning of a plain text, ended at a word and marked as cut when there is more."""
    return text if len(text) <= characters else text[:characters].rsplit(" ", 1)[0].rstrip(" .,;:…") + "…"


def open_row(story: Story, row: TurnRow) -> str:
    """The text of a turn, for its owner's page."""
    allow("story", Purpose.SHOW, keyed_to=story.pk)
    return open_sealed(item_key(story.pk), row.text, place(Turn._meta.db_table, "text", row.id, story.pk)).decode()


def _speaker(stage: Stage, kind: str) -> str:
    if kind in (Turn.Kind.REPLY, Turn.Kind.OPENING):
        return stage.speaker
    return "" if kind == Turn.Kind.STORY else stage.persona
