"""A kept card as Character Card V2 and V3: every field, unknown key and book entry goes along.

Formats: character-card-spec-v2 by malfoyslastname, character-card-spec-v3 by kwaroran.
"""

from __future__ import annotations

import copy
from typing import Any

from mindstage.library.cards.card import Card
from mindstage.library.cards.lore import list_entries, split_decorators, with_card_names

type Json = dict[str, Any]

_TEXTS = ("name", "description", "personality", "scenario", "first_mes", "mes_example", "creator_notes",
          "system_prompt", "post_history_instructions", "creator", "character_version")  # fmt: skip
_ONLY_V3 = ("assets", "nickname", "creator_notes_multilingual", "source", "group_only_greetings", "creation_date",
            "modification_date")  # fmt: skip
_PYGMALION = {"char_name": "name", "char_persona": "description", "world_scenario": "scenario",
              "char_greeting": "first_mes", "example_dialogue": "mes_example"}  # fmt: skip
_ENTRY = {"keys": [], "content": "", "extensions": {}, "enabled": True, "insertion_order": 100, "use_regex": False}
LEFT_OUT = "This is the V2 form of a V3 card: what only V3 can say (decorators, nickname, assets) is left out."


def to_v3(card: Card) -> Json:
    """The card as V3. A V3 card goes out as it came; what an older one lacks gets its empty form."""
    if card.spec == "v3":
        return copy.deepcopy(card.raw)
    data = _data(card)
    data.setdefault("group_only_greetings", [])
    for entry in _entries(data):
        entry.setdefault("use_regex", False)
    return {**_around(card), "spec": "chara_card_v3", "spec_version": "3.0", "data": data}


def to_v2(card: Card) -> Json:
    """The card as V2: from V3 without what V2 does not know, and the notes say so."""
    if card.spec == "v2":
        return copy.deepcopy(card.raw)
    data = _data(card)
    lost = [data.pop(name) for name in _ONLY_V3 if name in data]
    for entry in _entries(data):
        content = str(entry.get("content") or "")
        _, entry["content"] = split_decorators(content)
        lost += [entry.pop("use_regex")] if "use_regex" in entry else []
        lost += [entry["content"] != content]
    if any(lost):
        data["creator_notes"] = f"{data['creator_notes']}\n\n{LEFT_OUT}".strip()
    return {**_around(card), "spec": "chara_card_v2", "spec_version": "2.0", "data": data}


def to_lorebook(card: Card) -> Json | None:
    """The card's own book as a V3 file of its own, or None when it has none.

    What V3 asks of a book is there, under its names; everything else in it goes along as it is.
    """
    book = book_of(card)
    return None if book is None else {"spec": "lorebook_v3", "data": fill_book(book)}


def book_of(card: Card) -> Json | None:
    """The card's own book as it stands in the card, or None when it has none."""
    book = _data(card).get("character_book")
    return book if isinstance(book, dict) else None


def fill_book(book: Json) -> Json:
    """A book with all that V3 asks for, under its names. Raises CardRefused."""
    entries = [_filled(with_card_names(entry), _ENTRY) for entry in list_entries(book)]
    return _filled(book, {"extensions": {}}) | {"entries": entries}


def _filled(values: Json, owed: Json) -> Json:
    """With the empty form of each field that is owed and missing, or null."""
    return values | {name: copy.copy(empty) for name, empty in owed.items() if values.get(name) is None}


def _around(card: Card) -> Json:
    """What stands beside `data` in the card that came."""
    if card.spec not in ("v2", "v3"):
        return {}
    return {name: copy.deepcopy(value) for name, value in card.raw.items() if name != "data"}


def _data(card: Card) -> Json:
    """The card's fields under the names of V2; every text that V2 asks for is there, null never is."""
    raw = copy.deepcopy(card.raw)
    data: Json = raw["data"] if card.spec in ("v2", "v3") else raw
    if card.spec == "pygmalion":
        data = {_PYGMALION.get(name, name): value for name, value in raw.items()}
    for name in _TEXTS:
        if data.get(name) is None:
            data[name] = ""
    for name in ("alternate_greetings", "tags"):
        if data.get(name) is None:
            data[name] = []
    if data.get("extensions") is None:
        data["extensions"] = {}
    return data


def _entries(data: Json) -> list[Json]:
    """The entries of the card's book as objects to change; other programs' shapes are left alone."""
    book = data.get("character_book")
    listed = book.get("entries") if isinstance(book, dict) else None
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
