"""The trash of stories: a story put there is on no page and in no prompt, and can be taken back for 30 days.

Also *delete now*: of a story its key is destroyed; a turn has no key of its own, so its rows go at once, and copies of
it end with the backups that hold them. docs/subsystems/erasure.md
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Max

from mindstage.accounts.endings import end_turns, keep
from mindstage.datamap.trash import Lying
from mindstage.stories.models import Story, Turn
from mindstage.stories.refusals import KeyLost, NotYours, Refused, StillRunning
from mindstage.vault.clocks import slow_date
from mindstage.vault.keys import KeyGone
from mindstage.vault.marks import mark_database
from mindstage.vault.models import BackupKey
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

BACKUP_LASTS = timedelta(days=31)
"""A backup's key lives for 30 days, and the next night's rotation makes it unreadable to everybody."""


def trash_story(*, story: Story) -> None:
    """Put a story into the trash. Raises StillRunning while its narrator writes."""
    with transaction.atomic():
        Story.objects.select_for_update().get(pk=story.pk)
        if Turn.objects.filter(story=story, state=Turn.State.RUNNING).exists():
            raise StillRunning(
                "The narrator is still writing. Stop it, or wait for the end, and delete the story then."
            )
        Story.objects.filter(pk=story.pk, trashed_on=None).update(trashed_on=slow_date())
        mark_database()


def untrash_story(*, story: Story) -> None:
    """Take a story back out of the trash: the ledger first, so that no older copy ends it later. Raises NotYours."""
    if story.ending:
        raise NotYours("This story is being deleted for good; it can no longer be taken back.")
    keep(story.pk)


def end_turn_now(*, turn: Turn) -> int:
    """Delete every version of a turn for good; how many. Raises Refused."""
    with transaction.atomic():
        Story.objects.select_for_update().get(pk=turn.story_id)
        if turn.kind == Turn.Kind.OPENING:
            raise Refused("The opening is where the story stands on, so it cannot be deleted. You can edit it.")
        versions = Turn.objects.filter(segment=turn.segment_id, position=turn.position)
        if versions.filter(state=Turn.State.RUNNING).exists():
            raise StillRunning("The narrator is still writing. Stop it, or wait for the end, and try again.")
        idents = list(versions.values_list("pk", flat=True))
        versions.filter(trashed_at=None).update(trashed_at=_start_of(slow_date()))
    end_turns(*idents)
    return len(idents)


def last_backup() -> date:
    """The day from which no backup can hold what is deleted now, the one that may be taken tonight included."""
    ends = BackupKey.objects.using("keystore").aggregate(last=Max("destroy_on"))["last"]
    tonight = slow_date() + BACKUP_LASTS
    return max(ends or tonight, tonight)


def keep_story(subject: uuid.UUID) -> None:
    """What a *keep* entry of the ledger does here."""
    Story.objects.filter(pk=subject, ending=False).update(trashed_on=None)


def rearm_stories(day: date) -> int:
    """After a restore: everything in the trash lies there for its full time again."""
    stories = Story.objects.filter(trashed_on__isnull=False, ending=False).update(trashed_on=day)
    return stories + Turn.objects.filter(trashed_at__isnull=False).update(trashed_at=_start_of(day))


class StoriesTrash:
    """This room's trash, for the page and for the night."""

    name = "stories"

    def lying(self, owner: uuid.UUID) -> list[Lying]:
        rows = Story.objects.filter(owner=owner, ending=False, trashed_on__isnull=False)
        return [_lying(row) for row in rows.order_by("-trashed_on", "-id")]

    def due(self, up_to: date) -> list[uuid.UUID]:
        rows = Story.objects.filter(trashed_on__lte=up_to) | Story.objects.filter(ending=True)
        return list(rows.values_list("pk", flat=True))

    def due_turns(self, up_to: date) -> list[uuid.UUID]:
        rows = Turn.objects.filter(trashed_at__lt=_start_of(up_to, days=1))
        return list(rows.values_list("pk", flat=True)[:10_000])

    def begin_end(self, item: uuid.UUID, *, owner: uuid.UUID | None = None) -> bool:
        rows = Story.objects.filter(pk=item, trashed_on__isnull=False)
        rows = rows if owner is None else rows.filter(owner=owner)
        with transaction.atomic():
            if begun := rows.update(ending=True):
                mark_database()
        return bool(begun)


def _lying(row: Story) -> Lying:
    assert row.trashed_on is not None
    try:
        title = row.open("title", Purpose.SHOW)
    except (KeyGone, Unreadable):
        title = KeyLost.sentence
    return Lying(row.pk, "a story", title, row.trashed_on)


def _start_of(day: date, *, days: int = 0) -> datetime:
    return datetime.combine(date.fromordinal(day.toordinal() + days), time(), tzinfo=UTC)
