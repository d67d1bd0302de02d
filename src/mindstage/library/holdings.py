"""What this room holds of a person: characters and materials."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

from mindstage.datamap.batches import delete_in_batches
from mindstage.datamap.holdings import Cleared, Finding, Rearmed
from mindstage.datamap.porting import Pack, Report, words_of
from mindstage.library import bringing, material_files
from mindstage.library.bringing import CHARACTER
from mindstage.library.card_files import to_card_files
from mindstage.library.cards import CardRefused
from mindstage.library.characters import open_card
from mindstage.library.material_files import export_materials
from mindstage.library.models import Character
from mindstage.library.trash import ITEMS, Brought, rearm_items, take_out_item, thaw_items
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable


class LibraryHolding:
    """Characters, exported as they came and as cards, and materials; deleted in batches."""

    name = "library"

    def subjects(self) -> Iterator[uuid.UUID]:
        for model in ITEMS:
            yield from model._default_manager.values_list("pk", flat=True).iterator()

    def weigh(self, person: uuid.UUID) -> int:
        return sum(model._default_manager.filter(owner=person, ending=False).count() for model in ITEMS)

    def export(self, person: uuid.UUID) -> Iterator[tuple[str, Any]]:
        idents = list(Character.objects.filter(owner=person).order_by("id").values_list("pk", flat=True))
        for number, ident in enumerate(idents, start=1):
            row = Character.objects.filter(pk=ident, ending=False).first()
            if row is not None:
                yield from _export_character(row, number)
        yield from export_materials(person)

    def erase(self, person: uuid.UUID) -> list[Cleared]:
        return [one for model in ITEMS for one in _delete(model, owner=person)]

    def erase_item(self, item: uuid.UUID) -> list[Cleared]:
        return [one for model in ITEMS for one in _delete(model, pk=item)]

    def keep(self, subject: uuid.UUID) -> None:
        for model in ITEMS:
            take_out_item(model, subject)

    def thaw(self, person: uuid.UUID) -> None:
        thaw_items(person)

    def rearm(self, day: date) -> list[Rearmed]:
        return list(rearm_items(day))

    def remains(self, person: uuid.UUID) -> list[Finding]:
        counts = [(model, model._default_manager.filter(owner=person).count()) for model in ITEMS]
        return [
            Finding(f"database:default {model._meta.verbose_name_plural}", count) for model, count in counts if count
        ]

    def check(self, pack: Pack) -> None:
        bringing.check_characters(pack)
        material_files.check_materials(pack)

    def bring(self, person: uuid.UUID, pack: Pack, report: Report) -> None:
        bringing.bring_characters(person, pack, report)
        material_files.bring_materials(person, pack, report)


def _export_character(row: Character, number: int) -> Iterator[tuple[str, Any]]:
    facts: dict[str, Any] = {
        "format": CHARACTER,
        "id": str(row.pk),
        "imported_on": row.imported_on.isoformat(),
        "trashed_on": row.trashed_on and row.trashed_on.isoformat(),
    }
    try:
        name, report = row.open("name", Purpose.EXPORT), json.loads(row.open_bytes("report", Purpose.EXPORT))
        content = row.open_bytes("card", Purpose.EXPORT)
        portrait = _open_portrait(row)
    except (KeyGone, Unreadable):
        yield f"characters/{number:04}/character.json", facts | {"unreadable": True}
        return
    folder = f"characters/{number:04}{words_of(name)}"
    yield f"{folder}/character.json", facts | {"report": report, "portrait": portrait is not None}
    yield f"{folder}/card.json", content
    if portrait is not None:
        yield f"{folder}/portrait.webp", portrait
    try:
        for file, edition in to_card_files(open_card(row, Purpose.EXPORT), portrait):
            yield f"{folder}/{file}", edition
    except CardRefused:  # this program has become stricter; the card itself is there
        return


def _open_portrait(row: Character) -> bytes | None:
    """None also where it is damaged: every word of the card goes along without it. Raises KeyGone."""
    try:
        return None if row.portrait is None else row.open_bytes("portrait", Purpose.EXPORT)
    except Unreadable:
        return None


def _delete(model: type[Brought], **which: uuid.UUID) -> list[Cleared]:
    count = delete_in_batches(model._default_manager.filter(**which))
    return [Cleared(f"database:default {model._meta.db_table}", "delete", count)] if count else []
