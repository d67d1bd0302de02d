"""Change very many rows in short transactions with pauses, so that others wait milliseconds.

With one writer at a time (SQLite) a waiting turn comes round only between two batches, and it looks for the lock after
1, 3, 8 and 18 ms: one that was held for 3 ms costs it 3, one that was held for 4 costs it 8. So a batch is as large as
HOLD_SECONDS allow on this machine, whatever a row weighs. `mindstage bench erase` compares with a quiet machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

HOLD_SECONDS = 0.0018
"""How long a batch may keep the lock, so that one that takes half as long again still ends within 3 ms. Measured with
250 rows at once, which took 8 ms, others waited 8."""
SMALLEST, LARGEST = 20, 1_000
"""Rows. Fewer would cost more for their commit than for themselves."""
REST = 2.0
"""How many times as long as a batch took the next one waits."""
LONGEST_REST = 0.1


def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Delete them for good; how many there were, with what went along with them."""
    return in_batches(rows, lambda batch: batch.delete()[0])


def in_batches(rows: QuerySet[Any], change: Callable[[QuerySet[Any]], int]) -> int:
    """Change rows until none is left: `change` takes each of its batch out of `rows`. The sum of what it gives."""
    count, size = 0, SMALLEST
    while idents := list(rows.values_list("pk", flat=True)[:size]):
        began = time.perf_counter()
        with transaction.atomic():
            count += change(rows.model._default_manager.filter(pk__in=idents))
        if len(idents) == size:
            took = time.perf_counter() - began
            let_others_write(took)
            size = fit_batch(size, took)
    return count


def fit_batch(size: int, took: float) -> int:
    """How many rows come next, after so many took so many seconds: never more than twice as many as before."""
    fitting = int(size * HOLD_SECONDS / took) if took else LARGEST
    return max(SMALLEST, min(LARGEST, 2 * size, fitting))


def let_others_write(took: float) -> None:
    """Pause after a batch that took so many seconds: whoever waits for the lock looks for it only now and then."""
    time.sleep(min(LONGEST_REST, REST * took))
