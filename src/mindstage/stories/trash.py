"""The trash of stories: a story put there is on no page and in no prompt, and can be taken back for 30 days.

Also *delete now*: of a story its key is destroyed; a turn has no key of its own, so its rows go at once, and copies of
it end with the backups that hold them. docs/subsystems/erasure.md
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet

from mindstage.accounts.arrivals import unfinished
from mindstage.accounts.endings import begin_end, end_item, end_turns, keep
from mindstage.accounts.freezing import frozen_accounts
from mindstage.datamap.holdings import Rearmed
from mindstage.datamap.retention import begun_after_thaw, kept_for
from mindstage.datamap.trash import Lying
from mindstage.kit import clock
from mindstage.stories.form_turns import forget_words
from mindstage.stories.models import Draft, Story, Turn
from mindstage.stories.refusals import KeyLost, NotYours, Refused, StillRunning
from mindstage.vault.clocks import slow_date
from mindstage.vault.keys import KeyGone
from mindstage.vault.marks import mark_database
from mindstage.vault.models import BackupKey
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

NIGHT = timedelta(days=1)
"""When the key of a backup has ended, the next night's rotation makes it unreadable to everybody."""


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
    if not story.ending:
        keep(story.pk)
    if not take_out_story(story.pk):
        raise NotYours("This story is being deleted for good; it can no longer be taken back.")


def take_out_story(subject: uuid.UUID) -> bool:
    """Whether a story is out of the trash now. Of this and a night that ends it only one wins."""
    return bool(Story.objects.filter(pk=subject, ending=False).update(trashed_on=None))


def take_out_turn(subject: uuid.UUID) -> bool:
    """The same of all versions of a turn: they come back together or not at all."""
    place = Turn.objects.filter(pk=subject).values("segment", "position").first()
    return place is not None and bool(Turn.objects.filter(**place, ending=False).update(trashed_at=None))


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
        versions.filter(trashed_at=None).update(trashed_at=start_of(slow_date()))
        versions.update(ending=True)
    end_turns(*idents)
    forget_words([turn.story.owner_id])
    return len(idents)


def last_backup() -> date:
    """The day from which no backup can hold what is deleted now, the one that may be taken tonight included."""
    ends = BackupKey.objects.using("keystore").aggregate(last=Max("destroy_on"))["last"]
    tonight = slow_date() + kept_for("backups")
    return max(ends or tonight, tonight) + NIGHT


def keep_part(subject: uuid.UUID) -> None:
    """What a *keep* entry of the ledger does here."""
    take_out_story(subject)
    take_out_turn(subject)


def rearm_stories(day: date) -> list[Rearmed]:
    """After a restore: everything in the trash lies there for its full time again."""
    stories = Story.objects.filter(trashed_on__isnull=False, ending=False)
    turns = Turn.objects.filter(trashed_at__isnull=False, ending=False)
    until, places = day + kept_for("trash"), turns.values_list("story__owner", "segment", "position").distinct()
    found = [
        Rearmed.in_trash(owner, count, ("story", "stories"), until)
        for owner, count in stories.values_list("owner").annotate(Count("pk"))
    ]
    found += [
        Rearmed.in_trash(owner, count, ("turn", "turns"), until)
        for owner, count in Counter(owner for owner, _, _ in places).items()
    ]
    stories.update(trashed_on=day)
    turns.update(trashed_at=start_of(day))
    return found


def thaw_stories(person: uuid.UUID) -> None:
    """What lies in the trash stays there for some days more, and so do drafts."""
    day = begun_after_thaw("trash", slow_date())
    stories = Story.objects.filter(owner=person)
    stories.filter(trashed_on__lt=day, ending=False).update(trashed_on=day)
    turns = Turn.objects.filter(story__in=stories, ending=False, trashed_at__lt=start_of(day))
    turns.update(trashed_at=start_of(day))
    day = begun_after_thaw("draft", clock.today())
    Draft.objects.filter(story__in=stories, saved_on__lt=day).update(saved_on=day)


class StoriesTrash:
    """Stories, for the page of the trash and for the night."""

    name = "stories"

    def count(self, owner: uuid.UUID) -> int:
        return _lying_of(owner).count()

    def lying(self, owner: uuid.UUID, *, most: int) -> list[Lying]:
        return [_lying(row) for row in _lying_of(owner).order_by("-trashed_on", "-id")[:most]]

    def parts(self, item: uuid.UUID, *, owner: uuid.UUID) -> list[uuid.UUID]:
        return list(_lying_of(owner).filter(pk=item).values_list("pk", flat=True))

    def take_out(self, parts: Iterable[uuid.UUID]) -> bool:
        return all(take_out_story(part) for part in parts)

    def due(self, up_to: date) -> list[uuid.UUID]:
        return list(Story.objects.filter(_is_due(up_to)).values_list("pk", flat=True))

    def begin_end(self, parts: Iterable[uuid.UUID], *, up_to: date | None = None) -> list[uuid.UUID]:
        lying = Story.objects.filter(trashed_on__isnull=False)
        return begin_end(lying, parts, due=None if up_to is None else _is_due(up_to))

    def end(self, parts: Iterable[uuid.UUID]) -> None:
        stories = list(parts)
        owners = set(Story.objects.filter(pk__in=stories).values_list("owner", flat=True))
        for story in stories:
            end_item(story)
        forget_words(owners)


def _lying_of(owner: uuid.UUID) -> QuerySet[Story]:
    return Story.objects.filter(owner=owner, ending=False, trashed_on__isnull=False)


def _is_due(up_to: date) -> Q:
    return Q(trashed_on__lte=up_to) & ~Q(owner__in=frozen_accounts()) | unfinished()


def _lying(row: Story) -> Lying:
    assert row.trashed_on is not None
    try:
        title = row.open("title", Purpose.SHOW)
    except (KeyGone, Unreadable):
        title = KeyLost.sentence
    return Lying(row.pk, "a story", title, row.trashed_on)


def start_of(day: date, *, days: int = 0) -> datetime:
    """The moment at which a day begins, or another one so many days later: what `Turn.trashed_at` counts in."""
    return datetime.combine(date.fromordinal(day.toordinal() + days), time(), tzinfo=UTC)
