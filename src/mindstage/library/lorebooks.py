"""Lorebooks: read from a file, taken out of a character's card, taken along as a file, laid on a story's stage."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable
from dataclasses import asdict

from mindstage.library.cards import limits
from mindstage.library.cards.json_guard import load_object
from mindstage.library.cards.lore import read_lore
from mindstage.library.cards.refusal import refusal
from mindstage.library.cards.writing import book_of, fill_book
from mindstage.library.characters import open_card
from mindstage.library.contents import Json, Kind, name_out_of
from mindstage.library.materials import make_material, open_content
from mindstage.library.models import Character, Material
from mindstage.library.opening import opening
from mindstage.library.staging import to_lore
from mindstage.prompts.inputs import LoreEntry
from mindstage.vault.purposes import Purpose

UNNAMED = "Lorebook"


def import_lorebook(*, owner: uuid.UUID, data: bytes) -> Material:
    """Keep the lorebook in the bytes of a JSON file: a V3 lorebook, a world-info file, or a bare book.

    Everything that can be wrong with the file is found before the first write. Raises CardRefused; KeyGone.
    """
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        raise refusal("This file is not a lorebook: it is no JSON object.", "Choose a lorebook’s file.")
    raw = load_object(data)
    book = raw.get("data") if raw.get("spec") == "lorebook_v3" else raw
    if not isinstance(book, dict) or not isinstance(book.get("entries"), list | dict):
        raise refusal("This JSON is not a lorebook: it has no list of entries.", "Choose a lorebook’s file.")
    if len(book["entries"]) > limits.LORE_ENTRIES:
        raise refusal("This lorebook has more than 5,000 entries.", "Part its file into smaller ones.")
    read_lore(book, [])
    return _keep(owner, book)


def keep_book_of(character: Character) -> Material | None:
    """The lore of a character's card as a lorebook of its own; None when the card has none.

    Raises NotOpened; Refused, CardRefused, with nothing stored; KeyGone.
    """
    with opening("character", character.pk):
        card = open_card(character, Purpose.IMPORT)
    book = book_of(card)
    return None if book is None else _keep(character.owner_id, book, otherwise=card.name)


def keep_lore(owner: uuid.UUID, entries: Iterable[LoreEntry], *, name: str) -> Material:
    """What a stage tells of lore, as a lorebook. Raises Refused, CardRefused, with nothing stored; KeyGone."""
    return _keep(owner, {"name": name, "extensions": {}, "entries": [_to_entry(entry) for entry in entries]})


def to_file(material: Material, purpose: Purpose) -> Json:
    """A lorebook as a V3 file: under its present name, with the form that V3 asks for. Raises KeyGone, CardRefused."""
    book = copy.deepcopy(open_content(material, purpose)) | {"name": material.open("name", purpose)}
    return {"spec": "lorebook_v3", "data": fill_book(book)}


def lore_of(material: Material) -> tuple[LoreEntry, ...]:
    """Its entries as a story's stage has them. Raises KeyGone, CardRefused."""
    return to_lore(read_lore(open_content(material, Purpose.IMPORT), []))


def _to_entry(entry: LoreEntry) -> Json:
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(entry).items()}
    order = told.pop("order")
    return told | {"insertion_order": order, "use_regex": False, "extensions": {}}


def _keep(owner: uuid.UUID, book: Json, *, otherwise: str = UNNAMED) -> Material:
    spare = name_out_of(otherwise, Kind.LOREBOOK, otherwise=UNNAMED)
    called = name_out_of(book.get("name"), Kind.LOREBOOK, otherwise=spare)
    return make_material(owner=owner, kind=Kind.LOREBOOK, name=called, content=book)
