"""Correct in place what stands in a character: every text of its card that is used here, and its picture."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from django.db import transaction

from mindstage.kit import canonical
from mindstage.library.book_texts import places_of_entries, put_entry_text, walk_entries
from mindstage.library.cards import CardRefused, read_card
from mindstage.library.characters import line_of
from mindstage.library.correctable import Correctable, Group, pick_changes, put_text, texts_of
from mindstage.library.hidden_copies import Place, correct_copies, drop_whole_copies
from mindstage.library.models import Character
from mindstage.library.portraits import draw_portrait
from mindstage.vault.marks import mark_database
from mindstage.vault.purposes import Purpose

LABELS: Final[Mapping[str, str]] = {
    "name": "Name", "nickname": "Nickname", "description": "Description", "personality": "Personality",
    "scenario": "Scenario", "first_mes": "Opening", "mes_example": "Example dialogue", "system_prompt": "Instructions",
    "post_history_instructions": "Instructions after the story",
    "extensions.depth_prompt.prompt": "Note beside the newest turns", "creator": "Author",
    "creator_notes": "Author’s notes", "creatorcomment": "Author’s notes",
    "creator_notes_multilingual": "Author’s notes, {}", "character_version": "Version",
    "alternate_greetings": "Another opening", "group_only_greetings": "Opening in company", "tags": "Tags",
    "char_name": "Name", "char_persona": "Description", "world_scenario": "Scenario", "char_greeting": "Opening",
    "example_dialogue": "Example dialogue",
    "character_book.name": "Lore: name of the book", "character_book.description": "Lore: about the book",
}  # fmt: skip
OTHER_NAMES: Final = (
    ("name", "char_name"), ("description", "char_persona"), ("scenario", "world_scenario"),
    ("first_mes", "char_greeting"), ("mes_example", "example_dialogue"), ("creator_notes", "creatorcomment"),
)  # fmt: skip
"""Names of one field in cards of different kinds; some cards say a text under both."""
LANGUAGE: Final = re.compile(r"[A-Za-z0-9-]{1,35}")
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
BOOK: Final = "character_book"


def list_correctable(character: Character) -> list[Group]:
    """What can be corrected in a character, in the order of a card, each entry of lore by itself. Raises KeyGone."""
    raw = json.loads(character.open_bytes("card", Purpose.SHOW))
    return list(_walk(_values_of(raw)))


def correct_character(*, character: Character, texts: Mapping[str, str], seen: Mapping[str, str] = NOTHING) -> None:
    """Write the texts (path -> text) of a card anew; what is not named, or is as it was, stays byte for byte.

    `seen`: the marks of what the page showed. The new card is measured and read like one that comes.
    Raises CardRefused, Meanwhile, with nothing changed; KeyGone.
    """
    while not _correct(character.pk, texts, seen):
        pass  # another tab was faster, so its words are there now


def _correct(ident: uuid.UUID, texts: Mapping[str, str], seen: Mapping[str, str]) -> bool:
    """Write what becomes of the card as it is now, unless it has changed meanwhile: a large one takes most of a second
    to read, and nobody else's writing waits for that.
    """
    row = Character.objects.get(pk=ident)
    same = Character.objects.filter(pk=ident, card=row.card)
    raw = json.loads(row.open_bytes("card", Purpose.SHOW))
    fields = [one for group in _walk(_values_of(raw)) for one in group.fields]
    _put(raw, pick_changes(fields, texts, seen))
    content = canonical.to_bytes(raw)
    card = read_card(content)
    row.seal(name=card.name, line=line_of(card), card=content)
    with transaction.atomic():
        if not same.update(name=row.name, line=row.line, card=row.card):
            return False
        mark_database()
    return True


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
    return raw["data"] if _has_data(raw) else raw


def _has_data(raw: dict[str, Any]) -> bool:
    return "spec" in raw and isinstance(raw.get("data"), dict)


def _walk(values: dict[str, Any]) -> Iterator[Group]:
    yield Group("world", "", [one for path, label in LABELS.items() for one in _texts_at(values, path, label)])
    try:
        for number, entry in enumerate(walk_entries(_book_of(values), f"{BOOK}."), start=1):
            fields = [replace(one, label=f"Lore {number}: {one.label.lower()}") for one in entry.fields]
            yield replace(entry, fields=fields)
    except CardRefused:
        return  # of a V1 card nobody has read what stands there


def _texts_at(values: dict[str, Any], path: str, label: str) -> Iterator[Correctable]:
    place: Any = values
    for step in path.split("."):
        place = place.get(step) if isinstance(place, dict) else None
    if isinstance(place, dict):  # one for each language
        for key in filter(LANGUAGE.fullmatch, place):
            yield from texts_of(f"{path}.{key}", label.format(key), place[key])
    else:
        yield from texts_of(path, label, place)


def _book_of(values: dict[str, Any]) -> dict[str, Any]:
    book = values.get(BOOK)
    return book if isinstance(book, dict) else {}


def _put(raw: dict[str, Any], changes: Sequence[tuple[Correctable, str]]) -> None:
    """Over the old texts, and over every other copy of them: many programs leave one at the top for older readers."""
    if not changes:
        return
    values = _values_of(raw)
    for one, text in changes:
        _put_one(values, one, text)
        if values is not raw:
            for name in _names_of(one.path):
                with suppress(CardRefused):  # nobody reads that copy
                    _put_one(raw, replace(one, path=name), text)
    for place in (values, raw):
        drop_whole_copies(_book_of(place))
    correct_copies(raw, _places(raw, values), changes)


def _put_one(values: dict[str, Any], one: Correctable, text: str) -> None:
    if not one.path.startswith(f"{BOOK}.entries."):
        put_text(values, one, text)
    elif BOOK in values:
        put_entry_text(_book_of(values), one, text)


def _names_of(path: str) -> set[str]:
    return {path}.union(*(names for names in OTHER_NAMES if path in names))


def _places(raw: dict[str, Any], values: dict[str, Any]) -> set[Place]:
    """Where in the card the texts stand that the page shows."""
    inner = [tuple(one.path.split(".")) for group in _walk(values) for one in group.fields]
    inner += [(BOOK, *place) for place in places_of_entries(_book_of(values))]
    return {("data", *place) for place in inner} if values is not raw else set(inner)
