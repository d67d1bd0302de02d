"""Correct in place what stands in a character: every text of its card that is used here, and its picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from django.db import transaction

from mindstage.kit import canonical
from mindstage.library.cards import read_card
from mindstage.library.characters import line_of
from mindstage.library.correctable import Correctable, fit_a_form, pick_changes, put_text, texts_of
from mindstage.library.models import Character
from mindstage.library.portraits import draw_portrait
from mindstage.vault.marks import mark_database
from mindstage.vault.purposes import Purpose

LABELS: Final[Mapping[str, str]] = {
    "name": "Name", "nickname": "Nickname", "description": "Description", "personality": "Personality",
    "scenario": "Scenario", "first_mes": "Greeting", "mes_example": "Example dialogue", "system_prompt": "Instructions",
    "post_history_instructions": "Instructions after the story", "creator": "Author", "creator_notes": "Author’s notes",
    "character_version": "Version", "alternate_greetings": "Another greeting",
    "group_only_greetings": "Greeting in company", "tags": "Tags", "char_name": "Name", "char_persona": "Description",
    "world_scenario": "Scenario", "char_greeting": "Greeting", "example_dialogue": "Example dialogue",
}  # fmt: skip
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
LORE: Final[Mapping[str, str]] = {"name": "Name", "keys": "Keys", "secondary_keys": "Further keys", "content": "Text"}


def list_correctable(character: Character) -> tuple[list[Correctable], int]:
    """What can be corrected in a character, in the order of a card; and how much more a form cannot hold.

    Raises KeyGone.
    """
    raw = json.loads(character.open_bytes("card", Purpose.SHOW))
    return fit_a_form(_walk(_values_of(raw)))


def correct_character(*, character: Character, texts: Mapping[str, str], seen: Mapping[str, str] = NOTHING) -> None:
    """Write the texts (path -> text) of a card anew; what is not named, or is as it was, stays byte for byte.

    `seen`: the marks of what the page showed. The new card is measured and read like one that comes.
    Raises CardRefused, Meanwhile, with nothing changed; KeyGone.
    """
    with transaction.atomic():
        row = Character.objects.select_for_update().get(pk=character.pk)
        raw = json.loads(row.open_bytes("card", Purpose.SHOW))
        for one, text in pick_changes(list(_walk(_values_of(raw))), texts, seen):
            _put(raw, one, text)
        content = canonical.to_bytes(raw)
        card = read_card(content)
        row.seal(name=card.name, line=line_of(card), card=content)
        row.save(update_fields=["name", "line", "card"])
        mark_database()


def change_portrait(*, character: Character, picture: bytes | None) -> None:
    """Draw another portrait over what was there, or leave none. Raises NoPortrait with nothing changed; KeyGone."""
    portrait = None if picture is None else draw_portrait(picture)
    with transaction.atomic():
        row = Character.objects.select_for_update().get(pk=character.pk)
        row.portrait = None
        if portrait is not None:
            row.seal(portrait=portrait)
        row.save(update_fields=["portrait"])
        mark_database()


def _values_of(raw: dict[str, Any]) -> dict[str, Any]:
    inner = raw.get("data")
    return inner if "spec" in raw and isinstance(inner, dict) else raw


def _walk(values: dict[str, Any]) -> Iterator[Correctable]:
    for name, label in LABELS.items():
        yield from texts_of(name, label, values.get(name))
    for number, entry in enumerate(_entries(values)):
        for name, label in LORE.items():
            path = f"character_book.entries.{number}.{name}"
            yield from texts_of(path, f"Lore {number + 1}: {label.lower()}", entry.get(name))


def _entries(values: dict[str, Any]) -> list[dict[str, Any]]:
    book = values.get("character_book")
    entries = book.get("entries") if isinstance(book, dict) else None
    return entries if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries) else []


def _put(raw: dict[str, Any], one: Correctable, text: str) -> None:
    """Over the old text; also over the copy that many programs leave at the top of a V2 card for older readers."""
    for values in {id(place): place for place in (_values_of(raw), raw)}.values():
        put_text(values, one, text)
