"""The branches of a story, for the page that lists them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from mindstage.stories import paths, reading
from mindstage.stories.models import Segment, Story
from mindstage.ui import prose

MOST = 200
WORDS = 140


@dataclass(frozen=True, slots=True)
class BranchView:
    """`left_at`: the position at which it left the line it came from. `words`: how its last turn begins."""

    id: uuid.UUID
    left_at: int
    last_position: int
    words: str
    here: bool


def list_branches(story: Story) -> list[BranchView]:
    """Every segment that holds a turn of its own, or is played now; the oldest first."""
    segments = Segment.objects.filter(story=story).order_by("id")[:MOST]
    views = [_view(story, segment) for segment in segments]
    return [view for view in views if view.words or view.here]


def _view(story: Story, segment: Segment) -> BranchView:
    rows = paths.read_back(segment.pk, limit=1, above=segment.fork - 1)
    words = reading.shortened(prose.plain(reading.open_row(story, rows[0])), WORDS) if rows else ""
    last = rows[0].position if rows else segment.fork
    return BranchView(segment.pk, segment.fork, last, words, here=segment.pk == story.head_id)
