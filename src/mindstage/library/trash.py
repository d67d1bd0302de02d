"""The trash of characters: one put there begins no story, and can be taken back for 30 days."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from mindstage.accounts.arrivals import unfinished
from mindstage.accounts.endings import begin_end, end_item
from mindstage.accounts.freezing import frozen_accounts
from mindstage.datamap.holdings import Rearmed
from mindstage.datamap.retention import begun_after_thaw, kept_for
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


def take_out_character(subject: uuid.UUID) -> bool:
    """Whether a character is out of the trash now. Of this and a night that ends it only one wins."""
    return bool(Character.objects.filter(pk=subject, ending=False).update(trashed_on=None))


def rearm_characters(day: date) -> list[Rearmed]:
    """After a restore: everything in the trash lies there for its full time again."""
    rows, until = Character.objects.filter(trashed_on__isnull=False, ending=False), day + kept_for("trash")
    found = [
        Rearmed.in_trash(owner, count, ("character", "characters"), until)
        for owner, count in rows.values_list("owner").annotate(Count("pk"))
    ]
    rows.update(trashed_on=day)
    return found


def thaw_characters(person: uuid.UUID) -> None:
    """What lies in the trash stays there for some days more."""
    day = begun_after_thaw("trash", slow_date())
    Character.objects.filter(owner=person, trashed_on__lt=day, ending=False).update(trashed_on=day)


class CharactersTrash:
    """This room's trash, for the page and for the night."""

    name = "characters"

    def count(self, owner: uuid.UUID) -> int:
        return _lying_of(owner).count()

    def lying(self, owner: uuid.UUID, *, most: int) -> list[Lying]:
        return [_lying(row) for row in _lying_of(owner).order_by("-trashed_on", "-id")[:most]]

    def parts(self, item: uuid.UUID, *, owner: uuid.UUID) -> list[uuid.UUID]:
        return list(_lying_of(owner).filter(pk=item).values_list("pk", flat=True))

    def take_out(self, parts: Iterable[uuid.UUID]) -> bool:
        return all(take_out_character(part) for part in parts)

    def due(self, up_to: date) -> list[uuid.UUID]:
        return list(Character.objects.filter(_is_due(up_to)).values_list("pk", flat=True))

    def begin_end(self, parts: Iterable[uuid.UUID], *, up_to: date | None = None) -> list[uuid.UUID]:
        lying = Character.objects.filter(trashed_on__isnull=False)
        return begin_end(lying, parts, due=None if up_to is None else _is_due(up_to))

    def end(self, parts: Iterable[uuid.UUID]) -> None:
        for character in parts:
            end_item(character)


def _lying_of(owner: uuid.UUID) -> QuerySet[Character]:
    return Character.objects.filter(owner=owner, ending=False, trashed_on__isnull=False)


def _is_due(up_to: date) -> Q:
    return Q(trashed_on__lte=up_to) & ~Q(owner__in=frozen_accounts()) | unfinished()


def _lying(row: Character) -> Lying:
    assert row.trashed_on is not None
    try:
        name = row.open("name", Purpose.SHOW)
    except (KeyGone, Unreadable):
        name = LOST
    return Lying(row.pk, "a character", name, row.trashed_on)
