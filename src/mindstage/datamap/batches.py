"""Change very many rows in short transactions with pauses, so that others wait milliseconds.

With one writer at a time (SQLite) a waiting turn comes round only between two batches: measured, 2,000 rows at once
held it up for 50 ms and more, 250 for less than 10. `mindstage bench erase` compares with a quiet machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

BATCH = 250
REST = 2.0
"""How many times as long as a batch took the next one waits."""
LONGEST_REST = 0.1


def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Delete them for good; how many there were, with what went along with them."""
    return in_batches(rows, lambda batch: batch.delete()[0])


def in_batches(rows: QuerySet[Any], change: Callable[[QuerySet[Any]], int]) -> int:
    """Change rows until none is left: `change` takes each of its batch out of `rows`. The sum of what it gives."""
    count = 0
    while idents := list(rows.values_list("pk", flat=True)[:BATCH]):
        began = time.perf_counter()
        with transaction.atomic():
            count += change(rows.model._default_manager.filter(pk__in=idents))
        if len(idents) == BATCH:
            let_others_write(time.perf_counter() - began)
    return count


def let_others_write(took: float) -> None:
    """Pause after a batch that took so many seconds: whoever waits for the lock looks for it only now and then."""
    time.sleep(min(LONGEST_REST, REST * took))
