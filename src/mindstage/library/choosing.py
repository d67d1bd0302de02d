"""What of one's own is laid on a stage when a story begins: whom one plays, and lorebooks."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from django.conf import settings

from mindstage.kit import canonical
from mindstage.library.contents import CONTENT_BYTES, Kind
from mindstage.library.lorebooks import lore_of
from mindstage.library.materials import (
    PAGE,
    MaterialLine,
    count_materials,
    find_material,
    list_materials,
    open_content,
)
from mindstage.library.opening import opening
from mindstage.prompts.inputs import LoreEntry
from mindstage.streaming.raw import Refused
from mindstage.vault.purposes import Purpose

ALL = 1_000
"""Of a kind, on a page that was asked for all of them."""
NOT_THERE = "This {} does not exist, or it is not yours. No story was begun."
TOO_MUCH = "These lorebooks are together longer than a story can hold. No story was begun; choose fewer of them."


class NotThere(Refused):
    status = 404


@dataclass(frozen=True, slots=True)
class Choice:
    """Those of one kind that a page offers. `count`: how many there are, whether or not they are offered."""

    lines: list[MaterialLine]
    count: int
    whole: bool
    """Whether the page was asked for all of them, as far as one page can hold them."""

    @property
    def goes_on(self) -> bool:
        """Whether a page with all of them would offer more."""
        return not self.whole and self.count > PAGE

    @property
    def ends_early(self) -> bool:
        return self.whole and self.count > ALL


def list_choices(owner: uuid.UUID, *, whole: bool) -> dict[str, Choice]:
    """The personas and lorebooks to choose from, for the page that begins a story: the newest, or all by their names.

    Names are sealed, so each that is offered is opened: a page opens them all only when it is asked to.
    """
    return {"personas": _choice(owner, Kind.PERSONA, whole), "lorebooks": _choice(owner, Kind.LOREBOOK, whole)}


def _choice(owner: uuid.UUID, kind: Kind, whole: bool) -> Choice:
    found = list_materials(owner, kind, most=ALL if whole else PAGE)
    count = len(found) if len(found) < PAGE else count_materials(owner, kind)
    lines = _tell_apart([line for line in found if line.name is not None])
    if whole:
        lines.sort(key=lambda line: (line.name or "").casefold())
    return Choice(lines, count, whole)


def _tell_apart(lines: list[MaterialLine]) -> list[MaterialLine]:
    """Those that share a name also say when they were made, by the clock of the instance."""
    often = Counter(line.name for line in lines)
    return [line if often[line.name] == 1 else replace(line, name=_with_moment(line)) for line in lines]


def _with_moment(line: MaterialLine) -> str:
    if (made := line.made_at) is None:
        return f"{line.name}"
    there = made.astimezone(settings.MINDSTAGE.time_zone)
    return f"{line.name} ({there.day} {there:%B %Y, %H:%M})"


def take_persona(owner: uuid.UUID, ident: str) -> tuple[str, str]:
    """Name and description of a persona. Raises NotThere, NotOpened."""
    row = find_material(owner, _uuid(ident, Kind.PERSONA), Kind.PERSONA)
    if row is None:
        raise NotThere(NOT_THERE.format(Kind.PERSONA))
    with opening(row.kind, row.pk):
        return row.open("name", Purpose.IMPORT), open_content(row, Purpose.IMPORT)["about"]


def take_lore(owner: uuid.UUID, idents: Iterable[str]) -> tuple[LoreEntry, ...]:
    """The entries of lorebooks, each book once, one after the other. Raises NotThere, NotOpened, Refused.

    A form can name a book a thousand times, and many large ones: no more is read than a story could hold.
    """
    taken: list[LoreEntry] = []
    room = CONTENT_BYTES
    for ident in dict.fromkeys(_uuid(ident, Kind.LOREBOOK) for ident in idents):
        row = find_material(owner, ident, Kind.LOREBOOK)
        if row is None:
            raise NotThere(NOT_THERE.format(Kind.LOREBOOK))
        with opening(row.kind, row.pk):
            entries = lore_of(row)
        room -= len(canonical.to_bytes([asdict(entry) for entry in entries]))
        if room < 0:
            raise Refused(TOO_MUCH)
        taken += entries
    return tuple(taken)


def _uuid(text: str, kind: Kind) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotThere(NOT_THERE.format(kind)) from None
