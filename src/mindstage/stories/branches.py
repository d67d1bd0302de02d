"""The branches of a story, for the page that lists them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from mindstage.stories import paths, reading
from mindstage.stories.models import Segment, Story, Turn
from mindstage.ui import prose

MOST = 200
WORDS = 140


@dataclass(frozen=True, slots=True)
class BranchView:
    """`left_at`: the position at which it left the line it came from. `last_position` and `words`: its own last turn,
    and how that begins; of a branch that has none yet there is no position."""

    id: uuid.UUID
    left_at: int
    last_position: int | None
    words: str
    here: bool


def list_branches(story: Story) -> list[BranchView]:
    """Every segment that shows a turn of its own, or is played now; the oldest first. Of very many the newest MOST."""
    turns = Turn.objects.filter(segment=OuterRef("pk"), chosen=True, trashed_at=None)
    shown = Segment.objects.filter(Q(Exists(turns)) | Q(pk=story.head_id), story=story)
    newest = shown.alias(here=Q(pk=story.head_id)).order_by("-here", "-id")[:MOST]
    return [_view(story, segment) for segment in sorted(newest, key=lambda one: one.pk)]


def _view(story: Story, segment: Segment) -> BranchView:
    rows = paths.read_back(segment.pk, limit=1, above=segment.fork - 1)
    words = reading.shortened(prose.plain(reading.open_row(story, rows[0])), WORDS) if rows else ""
    last = rows[0].position if rows else None
    return BranchView(segment.pk, segment.fork, last, words, here=segment.pk == story.head_id)
