"""What of one's own is laid on a stage when a story begins: whom one plays, and lorebooks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from mindstage.library.contents import CONTENT_BYTES, Kind
from mindstage.library.lorebooks import lore_of
from mindstage.library.materials import MaterialLine, find_material, list_materials, open_content
from mindstage.prompts.inputs import LoreEntry
from mindstage.streaming.raw import Refused
from mindstage.vault.purposes import Purpose

NOT_THERE = "This {} does not exist, or it is not yours. No story was begun."
TOO_MUCH = "These lorebooks are together longer than a story can hold. No story was begun; choose fewer of them."


class NotThere(Refused):
    status = 404


def list_choices(owner: uuid.UUID) -> dict[str, list[MaterialLine]]:
    """The personas and lorebooks to choose from, for the page that begins a story."""
    return {"personas": _openable(owner, Kind.PERSONA), "lorebooks": _openable(owner, Kind.LOREBOOK)}


def _openable(owner: uuid.UUID, kind: Kind) -> list[MaterialLine]:
    return [line for line in list_materials(owner, kind) if line.name is not None]


def take_persona(owner: uuid.UUID, ident: str) -> tuple[str, str]:
    """Name and description of a persona. Raises NotThere, KeyGone."""
    row = find_material(owner, _uuid(ident, Kind.PERSONA), Kind.PERSONA)
    if row is None:
        raise NotThere(NOT_THERE.format(Kind.PERSONA))
    return row.open("name", Purpose.IMPORT), open_content(row, Purpose.IMPORT)["about"]


def take_lore(owner: uuid.UUID, idents: Iterable[str]) -> tuple[LoreEntry, ...]:
    """The entries of lorebooks, each book once, one after the other. Raises NotThere, Refused, CardRefused, KeyGone.

    A form can name a book a thousand times, and many large ones: no more is read than a story could hold.
    """
    taken: list[LoreEntry] = []
    room = CONTENT_BYTES
    for ident in dict.fromkeys(_uuid(ident, Kind.LOREBOOK) for ident in idents):
        row = find_material(owner, ident, Kind.LOREBOOK)
        if row is None:
            raise NotThere(NOT_THERE.format(Kind.LOREBOOK))
        entries = lore_of(row)
        room -= sum(len(entry.content) for entry in entries)
        if room < 0:
            raise Refused(TOO_MUCH)
        taken += entries
    return tuple(taken)


def _uuid(text: str, kind: Kind) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotThere(NOT_THERE.format(kind)) from None
