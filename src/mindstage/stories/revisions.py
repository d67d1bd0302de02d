"""Change a story without overwriting anything: another version of a turn, another choice, the trash, a branch.

Each is undone by its opposite: choose the version before, take the turn back out of the trash, go back to the branch.
"""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Max, QuerySet

from mindstage.accounts.endings import keep
from mindstage.accounts.rate_limits import TAKE_BACKS, TooManyTries, count_try
from mindstage.stories import paths
from mindstage.stories.models import Segment, Story, Turn
from mindstage.stories.refusals import NotYours, Refused, StillRunning, TooOften
from mindstage.stories.trash import start_of, take_out_turn
from mindstage.vault.clocks import slow_date

NO_SUCH_VERSION = "This version is no longer there. Reload the page to see the turn as it is."


def add_version(*, turn: Turn, text: str) -> Turn:
    """Store an edited text as a new version of its place, and choose it. The version before stays. Raises Refused."""
    with transaction.atomic():
        _lock(turn)
        others = Turn.objects.filter(segment=turn.segment_id, position=turn.position)
        if not _variants(turn).exists():
            raise Refused("This turn lies in the trash. Take it back out first, then edit it.")
        highest = others.aggregate(highest=Max("variant"))["highest"]
        others.filter(chosen=True).update(chosen=False)
        version = Turn(
            story_id=turn.story_id,
            segment_id=turn.segment_id,
            position=turn.position,
            variant=highest + 1,
            kind=turn.kind,
            edited=True,
        )
        version.seal(text=text).save(force_insert=True)
    return version


def choose_version(*, turn: Turn, version: uuid.UUID) -> Turn:
    """Show another version of the same place. The story after it stays as it is. Raises Refused."""
    with transaction.atomic():
        _lock(turn)
        chosen = _variants(turn).filter(pk=version).first()
        if chosen is None:
            raise NotYours(NO_SUCH_VERSION)
        _variants(turn).filter(chosen=True).update(chosen=False)
        chosen.chosen = True
        chosen.save(update_fields=["chosen"])
    return chosen


def trash_turn(*, turn: Turn) -> None:
    """Put a turn with all its versions into the trash: it is on no page and in no prompt, and can be taken back."""
    with transaction.atomic():
        _lock(turn)
        if turn.kind == Turn.Kind.OPENING:
            raise Refused("The opening is where the story stands on, so it cannot be deleted. You can edit it.")
        # by the instance's own date, which the night goes by too: a wrong clock changes nothing
        _variants(turn).update(trashed_at=start_of(slow_date()))


def untrash_turn(*, turn: Turn) -> None:
    """Take a turn back out of the trash, all its versions: the ledger first, so that no older copy ends it later.

    Raises NotYours once its end has begun, TooOften after too many of them at once.
    """
    versions = Turn.objects.filter(segment=turn.segment_id, position=turn.position, trashed_at__isnull=False)
    idents = list(versions.values_list("pk", flat=True))
    if idents and not versions.filter(ending=True).exists():
        try:
            count_try(TAKE_BACKS, turn.story.owner_id.bytes)
        except TooManyTries as refusal:
            raise TooOften(f"The turn still lies in the trash. {refusal.sentence}") from None
        keep(*idents)
    if not take_out_turn(turn.pk):  # its end had begun before, or began meanwhile
        raise NotYours("This turn is being deleted for good; it can no longer be taken back.")


def branch_from(*, story: Story, turn: Turn) -> Segment:
    """Begin another line after `turn`: the story goes on from there; what came after it is kept on its own branch."""
    with transaction.atomic():
        _lock(turn)
        if story.head_id is None or paths.segment_at(story.head_id, turn.position) != turn.segment_id:
            raise NotYours("This turn is on another branch. Reload the page to see the story as it is.")
        segment = Segment.objects.create(story=story, parent_id=turn.segment_id, fork=turn.position + 1)
        Story.objects.filter(pk=story.pk).update(head=segment)
    return segment


def play_branch(*, story: Story, segment: uuid.UUID) -> None:
    """Make another branch the one that is played. Raises Refused."""
    if not Segment.objects.filter(pk=segment, story=story).exists():
        raise NotYours("This branch does not exist.")
    Story.objects.filter(pk=story.pk).update(head=segment)


def _lock(turn: Turn) -> None:
    """One act at a time on a story; and none on a reply that still grows."""
    Story.objects.select_for_update().get(pk=turn.story_id)
    if Turn.objects.filter(story=turn.story_id, position__gte=turn.position, state=Turn.State.RUNNING).exists():
        raise StillRunning("The narrator is still writing. Stop it, or wait for the end, and try again.")


def _variants(turn: Turn) -> QuerySet[Turn]:
    return Turn.objects.filter(segment=turn.segment_id, position=turn.position, trashed_at=None)
