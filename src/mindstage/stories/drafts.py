"""Drafts: what a person has typed and not yet played. On the server, sealed; never in the browser's storage."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from mindstage.accounts.freezing import frozen_accounts
from mindstage.datamap.retention import kept_for
from mindstage.kit import clock
from mindstage.stories.models import Draft, Story
from mindstage.stories.refusals import DraftTooLong, Unstorable
from mindstage.stories.turns import MODES
from mindstage.vault.purposes import Purpose

DRAFT_CHARACTERS = 100_000
"""More than a turn may have, so that a line that is too long is kept while its author splits it."""


@dataclass(frozen=True, slots=True)
class DraftView:
    mode: str = "do"
    text: str = ""


def save_draft(*, story: Story, mode: str, text: str) -> None:
    """Keep a draft in place of the one before; an empty text forgets it. Raises Refused."""
    if mode not in MODES or "\x00" in text:
        raise Unstorable
    if len(text) > DRAFT_CHARACTERS:
        raise DraftTooLong
    with transaction.atomic():
        Draft.objects.filter(story=story).delete()
        if text.strip():
            Draft(story=story, mode=mode).seal(text=text).save(force_insert=True)


def find_draft(story: Story) -> DraftView:
    """The draft of a story, or an empty one."""
    draft = Draft.objects.filter(story=story).order_by("-saved_on", "-id").first()
    return DraftView(draft.mode, draft.open("text", Purpose.SHOW)) if draft else DraftView()


def purge_old_drafts() -> int:
    """Delete drafts that nobody has touched for as long as they are kept; how many there were. A clock runs it.

    Those of frozen accounts wait for their owners, who cannot reach them.
    """
    today = clock.today()
    Draft.objects.filter(saved_on__gt=today).update(saved_on=today)  # the wall was ahead; none stays the longer for it
    old = Draft.objects.filter(saved_on__lte=today - kept_for("draft"))
    return old.exclude(story__owner__in=frozen_accounts()).delete()[0]
