"""The texts of something long, parted into as many forms as they need: each text has its place in one of them.

A text keeps its path whatever part shows it, so that a form that comes back finds its texts also when another tab has
made others longer and moved the borders.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from mindstage.library import correctable
from mindstage.library.correctable import Correctable, Group, show_fields, size_of, write_marks

NEWEST: Final = "new"
"""Asks for the part in which something stands that was just added, to be written."""


@dataclass(frozen=True, slots=True)
class Part:
    """One form of `count`. `more`: how many texts no form holds, each by itself too long."""

    groups: list[Group]
    number: int
    count: int
    more: int

    @property
    def numbers(self) -> range:
        return range(1, self.count + 1)

    @property
    def marks(self) -> str:
        return write_marks(one for group in self.groups for one in group.fields)


@dataclass(frozen=True, slots=True)
class Shown:
    """A group of fields, each with what another tab wrote into it meanwhile."""

    kind: str
    name: str
    fields: list[tuple[Correctable, str]]

    @property
    def asks(self) -> bool:
        """Whether it has to be seen: another tab has written into it, or there is nothing in it yet."""
        return any(kept for _, kept in self.fields) or self.is_blank

    @property
    def is_blank(self) -> bool:
        """Just added, and not written yet."""
        return not any(field.text for field, _ in self.fields)


def open_part(groups: Iterable[Group], *, said: str = "", typed: Collection[str] = ()) -> Part:
    """The part that `said` asks for: its number, or NEWEST; the first, if it says nothing of use.

    `typed`: paths that somebody has words for, which are shown again. If another tab has moved one of them out of the
    part, the form shows these alone: it held them before.
    """
    listed = list(groups)
    parts, more = _split(listed)
    number = _number(said, parts)
    shown = parts[number - 1]
    known = {one.path for group in listed for one in group.fields}
    if known.intersection(typed) - {one.path for group in shown for one in group.fields}:
        chosen = [replace(group, fields=[one for one in group.fields if one.path in typed]) for group in listed]
        shown = [group for group in chosen if group.fields]
    return Part(shown, number, len(parts), more)


def show_part(part: Part, typed: Mapping[str, str], both: Container[str] = ()) -> list[Shown]:
    """The groups of a part with what was typed, and with what another tab wrote meanwhile."""
    return [Shown(group.kind, group.name, show_fields(group.fields, typed, both)) for group in part.groups]


def _number(said: str, parts: list[list[Group]]) -> int:
    if said == NEWEST:
        blank = (at for at, groups in enumerate(parts, start=1) if any(map(_is_blank, groups)))
        return max(blank, default=1)
    wanted = int(said) if said.isascii() and said.isdigit() and len(said) < 6 else 1
    return max(1, min(wanted, len(parts)))


def _is_blank(group: Group) -> bool:
    return group.kind != "world" and not any(one.text for one in group.fields)


def _split(groups: Iterable[Group]) -> tuple[list[list[Group]], int]:
    """Groups in forms, and how many texts fit into none. One that a form could hold whole is not torn apart."""
    parts: list[list[Group]] = [[]]
    fields, room, more = correctable.MOST, correctable.ROOM, 0
    for group in groups:
        fitting = [one for one in group.fields if size_of(one.text) <= correctable.ROOM]
        more += len(group.fields) - len(fitting)
        whole = sum(size_of(one.text) for one in fitting)
        torn = whole > correctable.ROOM or len(fitting) > correctable.MOST
        for at, one in enumerate(fitting):
            needed = (1, size_of(one.text)) if torn or at else (len(fitting), whole)
            if (needed[0] > fields or needed[1] > room) and parts[-1]:
                parts.append([])
                fields, room = correctable.MOST, correctable.ROOM
            if at == 0 or not parts[-1]:
                parts[-1].append(replace(group, fields=[]))
            parts[-1][-1].fields.append(one)
            fields, room = fields - 1, room - size_of(one.text)
    return parts, more
