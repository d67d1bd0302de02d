"""Who opened what: how often a person's sealed texts were opened, per day, purpose and actor. Not a row per opening.

Openings are counted in the process's memory and stored every few seconds. What is opened is known by the account or
item whose key opens it; whose it is, is asked of the keystore when the counts are stored, so that an opening costs two
look-ups in a dictionary, and counts of somebody who was erased meanwhile go nowhere.
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter, defaultdict
from datetime import timedelta
from typing import ClassVar

from django.core.paginator import Page, Paginator
from django.db import models, transaction

from mindstage.kit import clock, ids
from mindstage.kit.acting import who_acts
from mindstage.vault import raw
from mindstage.vault.fields import count_with
from mindstage.vault.keys import owners_of
from mindstage.vault.purposes import Purpose

KEPT = timedelta(days=365)
LINES = 60
"""On one page of a list."""
NARRATOR = "narrator"
"""Who opens to narrate, whoever asked for the reply. For all else it is whoever acts (kit/acting.py)."""

type _Key = tuple[uuid.UUID, str, str]
"""A key's account or item, the purpose, the actor."""


class AccessCount(models.Model):
    """So many openings of one person's texts on one day."""

    id = models.UUIDField(primary_key=True, default=ids.unordered)
    owner = models.UUIDField()
    purpose = models.CharField(max_length=20)
    actor = models.CharField(max_length=40)
    day = models.DateField(db_index=True)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        app_label = "accounts"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "day", "purpose", "actor"], name="one_count_a_day")
        ]


_waiting: defaultdict[_Key, int] = defaultdict(int)
_lock = threading.Lock()


def note_opening(keyed_to: uuid.UUID, purpose: str) -> None:
    """Count one opening under the key of an account or item."""
    actor = NARRATOR if purpose == Purpose.NARRATE else who_acts()
    with _lock:
        _waiting[keyed_to, purpose, actor] += 1


def begin_counting() -> None:
    """Called once, when the program opens."""
    count_with(note_opening)


def store_counts() -> int:
    """Store what was counted since; how many lines. From any thread."""
    if not _waiting:
        return 0
    with _lock:
        taken = {key: _waiting.pop(key) for key in list(_waiting)}
    try:
        return _store(taken)
    except BaseException:  # the database was busy: they count with the next round
        with _lock:
            for key, count in taken.items():
                _waiting[key] += count
        raise


def _store(taken: dict[_Key, int]) -> int:
    owners = owners_of({keyed_to for keyed_to, _, _ in taken})
    lines: Counter[_Key] = Counter()
    for (keyed_to, purpose, actor), count in taken.items():
        if owner := owners.get(keyed_to):
            lines[owner, purpose, actor] += count
    with transaction.atomic():
        for (owner, purpose, actor), count in lines.items():
            _add(owner, purpose, actor, count)
    return len(lines)


def list_openings(owner: uuid.UUID, *, page: str | int | None = 1) -> Page[AccessCount]:
    """One page of a person's lines, the newest first. What is no number of a page is the first."""
    store_counts()
    rows = AccessCount.objects.filter(owner=owner).order_by("-day", "actor", "purpose")
    return Paginator(rows, LINES).get_page(page)


def was_opened_by(owner: uuid.UUID, actor: str) -> bool:
    """Whether any line of a person says so."""
    return AccessCount.objects.filter(owner=owner, actor=actor).exists()


def purge_old_counts() -> int:
    """Delete lines older than a year; how many. A clock runs it."""
    _draw_in()
    return AccessCount.objects.filter(day__lte=clock.today() - KEPT).delete()[0]


def _draw_in() -> None:
    """Lines of days still to come were counted while the wall was ahead: they count to today, and stay no longer."""
    for row in AccessCount.objects.filter(day__gt=clock.today()):
        with transaction.atomic():
            if AccessCount.objects.filter(pk=row.pk, count=row.count).delete()[0]:
                _add(row.owner, row.purpose, row.actor, row.count)


def _add(owner: uuid.UUID, purpose: str, actor: str, count: int) -> None:
    """Only while the account is not being erased: a line that came after its rows were cleared would stay for good."""
    raw.execute(
        "INSERT INTO accounts_accesscount (id, owner, purpose, actor, day, count) SELECT %s, %s, %s, %s, %s, %s "
        "WHERE EXISTS (SELECT 1 FROM accounts_user WHERE id = %s AND state <> 'destroying') "
        "ON CONFLICT (owner, day, purpose, actor) DO UPDATE "
        "SET count = accounts_accesscount.count + excluded.count",
        [ids.unordered(), owner, purpose, actor, clock.today(), count, owner],
    )
