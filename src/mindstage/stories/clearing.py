"""Delete the rows of stories for good, a batch at a time (datamap/batches.py)."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet

from mindstage.datamap.batches import delete_in_batches, in_batches
from mindstage.datamap.holdings import Cleared
from mindstage.stories.models import Draft, Segment, Story, Turn


def clear_stories(stories: QuerySet[Story]) -> list[Cleared]:
    """Turns first, the stories' own rows last, so that a crash leaves what a repeated call still finds."""
    cleared = [_delete(Turn.objects.filter(story__in=stories)), _delete(Draft.objects.filter(story__in=stories))]
    cleared += [_delete_segments(Segment.objects.filter(story__in=stories), stories), _delete(stories)]
    return [one for one in cleared if one.count]


def clear_turn(turn: uuid.UUID) -> list[Cleared]:
    """One text of a turn."""
    cleared = _delete(Turn.objects.filter(pk=turn))
    return [cleared] if cleared.count else []


def _delete_segments(rows: QuerySet[Segment], stories: QuerySet[Story]) -> Cleared:
    """Segments refer to each other and are the heads of their stories: the references go first."""
    in_batches(stories.exclude(head=None), lambda batch: batch.update(head=None))
    in_batches(rows.exclude(parent=None), lambda batch: batch.update(parent=None, fork=0))
    return _delete(rows)


def _delete(rows: QuerySet[Any]) -> Cleared:
    return Cleared(f"database:default {rows.model._meta.db_table}", "delete", delete_in_batches(rows))
