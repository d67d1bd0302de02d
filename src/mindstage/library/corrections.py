"""Correct in place what stands in a character: every text of its card that is used here, over what was there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from mindstage.kit import canonical
from mindstage.library.cards import read_card
from mindstage.library.characters import line_of
from mindstage.library.models import Character
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
IN_LINES: Final = ("tags", "keys", "secondary_keys")
"""Lists of short words: one field, a word on each line."""
LORE: Final[Mapping[str, str]] = {"name": "Name", "keys": "Keys", "secondary_keys": "Further keys", "content": "Text"}
MOST, ROOM = 900, 700_000
"""Fields that one form can hold, and bytes of them all."""


@dataclass(frozen=True, slots=True)
class Correctable:
    """One text of a card. `path` names it in the form. `several`: a word on each line."""

    path: str
    label: str
    text: str = field(repr=False)
    several: bool = False

    @property
    def rows(self) -> int:
        return min(14, 1 + self.text.count("\n") + len(self.text) // 90)


def list_correctable(character: Character) -> tuple[list[Correctable], int]:
    """What can be corrected in a character, in the order of a card; and how much more a form cannot hold.

    Raises KeyGone.
    """
    raw = json.loads(character.open_bytes("card", Purpose.SHOW))
    found, room = list(_walk(_values_of(raw))), ROOM
    fitting: list[Correctable] = []
    for one in found:
        size = len(one.text.encode())
        if size <= room and len(fitting) < MOST:
            fitting.append(one)
            room -= size
    return fitting, len(found) - len(fitting)


def correct_character(*, character: Character, texts: Mapping[str, str]) -> None:
    """Write the texts (path -> text) of a card anew; what is not named, or is as it was, stays byte for byte.

    The new card is measured and read like one that comes. Raises CardRefused with nothing changed; KeyGone.
    """
    with transaction.atomic():
        row = Character.objects.select_for_update().get(pk=character.pk)
        raw = json.loads(row.open_bytes("card", Purpose.SHOW))
        for one in _walk(_values_of(raw)):
            if one.path in texts and (text := _plain(texts[one.path])) != _plain(one.text):
                _put(raw, one, text)
        content = canonical.to_bytes(raw)
        card = read_card(content)
        row.seal(name=card.name, line=line_of(card), card=content)
        row.save(update_fields=["name", "line", "card"])
        mark_database()


def _values_of(raw: dict[str, Any]) -> dict[str, Any]:
    inner = raw.get("data")
    return inner if "spec" in raw and isinstance(inner, dict) else raw


def _walk(values: dict[str, Any]) -> Iterator[Correctable]:
    for name, label in LABELS.items():
        yield from _texts(name, label, values.get(name))
    for number, entry in enumerate(_entries(values)):
        for name, label in LORE.items():
            path = f"character_book.entries.{number}.{name}"
            yield from _texts(path, f"Lore {number + 1}: {label.lower()}", entry.get(name))


def _texts(path: str, label: str, value: Any) -> Iterator[Correctable]:
    if isinstance(value, str):
        yield Correctable(path, label, value)
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        if path.rpartition(".")[2] in IN_LINES:
            yield Correctable(path, label, "\n".join(value), several=True)
        else:
            yield from (Correctable(f"{path}.{at}", f"{label} {at + 1}", item) for at, item in enumerate(value))


def _entries(values: dict[str, Any]) -> list[dict[str, Any]]:
    book = values.get("character_book")
    entries = book.get("entries") if isinstance(book, dict) else None
    return entries if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries) else []


def _put(raw: dict[str, Any], one: Correctable, text: str) -> None:
    """Over the old text; also over the copy that many programs leave at the top of a V2 card for older readers."""
    words = [line.strip() for line in text.split("\n") if line.strip()] if one.several else text
    *way, last = one.path.split(".")
    for values in {id(place): place for place in (_values_of(raw), raw)}.values():
        place: Any = values
        for step in way:
            place = _step(place, step)
        if isinstance(place, list) and int(last) < len(place):
            place[int(last)] = words
        elif isinstance(place, dict) and last in place:
            place[last] = words


def _step(place: Any, step: str) -> Any:
    if isinstance(place, list):
        return place[int(step)] if int(step) < len(place) else None
    return place.get(step) if isinstance(place, dict) else None


def _plain(text: str) -> str:
    """A form sends its line ends as CR LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
