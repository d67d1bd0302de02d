"""The trash of what an author brought: what lies there begins no story, and can be taken back for 30 days."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Value

from mindstage.accounts.arrivals import unfinished
from mindstage.accounts.endings import begin_end, end_item
from mindstage.accounts.freezing import frozen_accounts
from mindstage.datamap.holdings import Rearmed
from mindstage.datamap.retention import begun_after_thaw, kept_for
from mindstage.datamap.trash import Lying
from mindstage.library.models import Character, Material
from mindstage.vault.clocks import slow_date
from mindstage.vault.keys import KeyGone
from mindstage.vault.marks import mark_database
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

type Brought = Character | Material
ITEMS: tuple[type[Brought], ...] = (Character, Material)
"""What this room keeps of people, each under a key of its own."""
MANY = {"character": "characters", "persona": "personas", "lorebook": "lorebooks", "scenario": "scenarios"}


def kind_of(item: Brought) -> str:
    """character, persona, lorebook or scenario."""
    return item.kind if isinstance(item, Material) else "character"


def trash_item(item: Brought) -> None:
    """Put something into the trash. Stories that were begun with it keep what they took from it."""
    with transaction.atomic():
        _rows(type(item)).filter(pk=item.pk, trashed_on=None).update(trashed_on=slow_date())
        mark_database()


def take_out_item(model: type[Brought], subject: uuid.UUID) -> bool:
    """Whether an item is out of the trash now. Of this and a night that ends it only one wins."""
    return bool(_rows(model).filter(pk=subject, ending=False).update(trashed_on=None))


def rearm_items(day: date) -> Iterator[Rearmed]:
    """After a restore: everything in the trash lies there for its full time again."""
    until = day + kept_for("trash")
    for model in ITEMS:
        rows = _rows(model).filter(trashed_on__isnull=False, ending=False)
        what = rows.annotate(what=F("kind") if model is Material else Value("character"))
        counts = list(what.values_list("owner", "what").annotate(Count("pk")))
        rows.update(trashed_on=day)
        yield from (Rearmed.in_trash(owner, count, (kind, MANY[kind]), until) for owner, kind, count in counts)


def thaw_items(person: uuid.UUID) -> None:
    """What lies in the trash stays there for some days more."""
    day = begun_after_thaw("trash", slow_date())
    for model in ITEMS:
        _rows(model).filter(owner=person, trashed_on__lt=day, ending=False).update(trashed_on=day)


class ItemsTrash:
    """The trash of one model, for the page and for the night."""

    name: str
    model: ClassVar[type[Brought]]

    def count(self, owner: uuid.UUID) -> int:
        return self._lying_of(owner).count()

    def lying(self, owner: uuid.UUID, *, most: int) -> list[Lying]:
        return [_lying(row) for row in self._lying_of(owner).order_by("-trashed_on", "-id")[:most]]

    def parts(self, item: uuid.UUID, *, owner: uuid.UUID) -> list[uuid.UUID]:
        return list(self._lying_of(owner).filter(pk=item).values_list("pk", flat=True))

    def take_out(self, parts: Iterable[uuid.UUID]) -> bool:
        return all(take_out_item(self.model, part) for part in parts)

    def due(self, up_to: date) -> list[uuid.UUID]:
        return list(_rows(self.model).filter(_is_due(up_to)).values_list("pk", flat=True))

    def begin_end(self, parts: Iterable[uuid.UUID], *, up_to: date | None = None) -> list[uuid.UUID]:
        lying = _rows(self.model).filter(trashed_on__isnull=False)
        return begin_end(lying, parts, due=None if up_to is None else _is_due(up_to))

    def end(self, parts: Iterable[uuid.UUID]) -> None:
        for item in parts:
            end_item(item)

    def _lying_of(self, owner: uuid.UUID) -> QuerySet[Brought]:
        return _rows(self.model).filter(owner=owner, ending=False, trashed_on__isnull=False)


class CharactersTrash(ItemsTrash):
    name = "characters"
    model = Character


class MaterialsTrash(ItemsTrash):
    name = "materials"
    model = Material


def _rows(model: type[Brought]) -> QuerySet[Brought]:
    rows: QuerySet[Brought] = model._default_manager.all()
    return rows


def _is_due(up_to: date) -> Q:
    return Q(trashed_on__lte=up_to) & ~Q(owner__in=frozen_accounts()) | unfinished()


def _lying(row: Brought) -> Lying:
    assert row.trashed_on is not None
    kind = kind_of(row)
    try:
        name = row.open("name", Purpose.SHOW)
    except (KeyGone, Unreadable):
        name = f"A {kind} whose key is gone"
    return Lying(row.pk, f"a {kind}", name, row.trashed_on)
