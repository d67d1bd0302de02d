"""Delete the rows of stories for good, in short transactions with pauses, so that others wait milliseconds.

With one writer at a time (SQLite) a waiting turn comes round only between two batches: measured, 2,000 rows at once
held it up for 50 ms and more, 250 for less than 10. `mindstage bench erase` compares with a quiet machine.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from mindstage.datamap.holdings import Cleared
from mindstage.stories.models import Draft, Segment, Story, Turn

BATCH = 250
REST = 2.0
"""How many times as long as a batch took the next one waits."""
LONGEST_REST = 0.1


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
    stories.update(head=None)
    while idents := list(rows.exclude(parent=None).values_list("pk", flat=True)[:BATCH]):
        Segment.objects.filter(pk__in=idents).update(parent=None, fork=0)
    return _delete(rows)


def _delete(rows: QuerySet[Any]) -> Cleared:
    count = 0
    while idents := list(rows.values_list("pk", flat=True)[:BATCH]):
        began = time.perf_counter()
        with transaction.atomic():
            count += rows.model.objects.filter(pk__in=idents).delete()[0]
        if len(idents) == BATCH:
            time.sleep(min(LONGEST_REST, REST * (time.perf_counter() - began)))
    return Cleared(f"database:default {rows.model._meta.db_table}", "delete", count)
