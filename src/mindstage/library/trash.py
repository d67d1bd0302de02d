"""The trash of characters: one put there begins no story, and can be taken back for 30 days."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import transaction

from mindstage.accounts.endings import keep
from mindstage.datamap.trash import Lying
from mindstage.library.models import Character
from mindstage.vault.clocks import slow_date
from mindstage.vault.keys import KeyGone
from mindstage.vault.marks import mark_database
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

LOST = "A character whose key is gone"


def trash_character(*, character: Character) -> None:
    """Put a character into the trash. Stories that were begun with it keep what they took from it."""
    with transaction.atomic():
        Character.objects.filter(pk=character.pk, trashed_on=None).update(trashed_on=slow_date())
        mark_database()


def untrash_character(*, character: Character) -> bool:
    """Take one back out of the trash; False when its end has begun."""
    if not character.ending:
        keep(character.pk)
    return not character.ending


def keep_character(subject: uuid.UUID) -> None:
    """What a *keep* entry of the ledger does here."""
    Character.objects.filter(pk=subject, ending=False).update(trashed_on=None)


def rearm_characters(day: date) -> int:
    """After a restore: everything in the trash lies there for its full time again."""
    return Character.objects.filter(trashed_on__isnull=False, ending=False).update(trashed_on=day)


class CharactersTrash:
    """This room's trash, for the page and for the night."""

    name = "characters"

    def lying(self, owner: uuid.UUID) -> list[Lying]:
        rows = Character.objects.filter(owner=owner, ending=False, trashed_on__isnull=False)
        return [_lying(row) for row in rows.order_by("-trashed_on", "-id")]

    def due(self, up_to: date) -> list[uuid.UUID]:
        rows = Character.objects.filter(trashed_on__lte=up_to) | Character.objects.filter(ending=True)
        return list(rows.values_list("pk", flat=True))

    def due_turns(self, up_to: date) -> list[uuid.UUID]:  # noqa: ARG002 - characters have no parts
        return []

    def begin_end(self, item: uuid.UUID, *, owner: uuid.UUID | None = None) -> bool:
        rows = Character.objects.filter(pk=item, trashed_on__isnull=False)
        rows = rows if owner is None else rows.filter(owner=owner)
        with transaction.atomic():
            if begun := rows.update(ending=True):
                mark_database()
        return bool(begun)


def _lying(row: Character) -> Lying:
    assert row.trashed_on is not None
    try:
        name = row.open("name", Purpose.SHOW)
    except (KeyGone, Unreadable):
        name = LOST
    return Lying(row.pk, "a character", name, row.trashed_on)
