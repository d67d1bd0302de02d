"""Texts of a nested value that a form corrects: found in it, sent to a page, and written anew where they stood.

A page that was open for a while must not write over what another tab corrected since. So each text goes out with a
*mark* of what it was, and comes back with it: what its author did not touch is left alone, what only they touched is
written, and what both touched is asked about, with nothing written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

IN_LINES: Final = ("tags", "keys", "secondary_keys")
"""Lists of short words: one field, a word on each line."""
MOST, ROOM = 900, 700_000
"""Fields that one form can hold, and bytes of them all."""

MEANWHILE: Final = (
    "Nothing was changed yet: another tab has corrected the same words since this page was opened. They stand under "
    "what you typed. Keep your words to write over them."
)


NO_PROSE: Final = frozenset(
    {"name", "char_name", "nickname", "creator", "version", "character_version", "byline", "line", "comment"}
)


class Meanwhile(Exception):
    """These texts (paths) were corrected elsewhere since the page was opened; nothing was changed."""

    def __init__(self, paths: Iterable[str]) -> None:
        super().__init__("a text was corrected elsewhere meanwhile")
        self.paths = frozenset(paths)


@dataclass(frozen=True, slots=True)
class Correctable:
    """One text. `path` names it in the form. `several`: a word on each line."""

    path: str
    label: str
    text: str = field(repr=False)
    several: bool = False

    @property
    def rows(self) -> int:
        return min(14, 1 + self.text.count("\n") + len(self.text) // 90)

    @property
    def is_prose(self) -> bool:
        """Whether it is set as a story is; names, and words in lines, are not."""
        steps = [step for step in self.path.split(".") if not step.isdigit()]
        return not self.several and steps[-1] not in NO_PROSE

    @property
    def mark(self) -> str:
        return mark_of(self.text)


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together on the page. `kind`: world, cast or lore; `name` is empty where there is none."""

    kind: str
    name: str
    fields: list[Correctable]


def texts_of(path: str, label: str, value: Any) -> Iterator[Correctable]:
    """The texts of one value: itself, or those of a list. A number is one too, as cards write them; nothing else is."""
    if (text := _as_text(value)) is not None:
        yield Correctable(path, label, text)
    elif isinstance(value, list):
        texts = [text for item in value if (text := _as_text(item)) is not None]
        if len(texts) < len(value):
            return
        if path.rpartition(".")[2] in IN_LINES:
            yield Correctable(path, label, "\n".join(texts), several=True)
        else:
            labels = [label] if len(texts) == 1 else [f"{label} {at}" for at in range(1, len(texts) + 1)]
            yield from (Correctable(f"{path}.{at}", labels[at], text) for at, text in enumerate(texts))


def _as_text(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def size_of(text: str) -> int:
    """Its bytes in a form, which sends each line end as two."""
    return len(text.encode("utf-8", "surrogatepass")) + text.count("\n")


def put_text(values: Any, one: Correctable, text: str) -> None:
    """Write a text where `one` was found in `values`; where nothing stands there, nothing is written."""
    words = [line.strip() for line in text.split("\n") if line.strip()] if one.several else text
    *way, last = one.path.split(".")
    place = values
    for step in way:
        place = _step(place, step)
    if isinstance(place, list) and (at := _place_in(place, last)) is not None:
        place[at] = words
    elif isinstance(place, dict) and last in place:
        place[last] = words


def pick_changes(
    found: Iterable[Correctable], typed: Mapping[str, str], seen: Mapping[str, str]
) -> list[tuple[Correctable, str]]:
    """What has to be written of `typed`, a page's texts, which was made from texts with the marks `seen`.

    A text without a mark is taken as typed now. Raises Meanwhile.
    """
    changes, both = list[tuple[Correctable, str]](), list[str]()
    for one in found:
        if one.path not in typed or (text := plain(typed[one.path])) == plain(one.text):
            continue
        before = seen.get(one.path, one.mark)
        if before == one.mark:
            changes.append((one, text))
        elif mark_of(text) != before:
            both.append(one.path)
    if both:
        raise Meanwhile(both)
    return changes


def typed_anew(typed: Mapping[str, str], seen: Mapping[str, str]) -> dict[str, str]:
    """The texts of a page that its author touched: all that a page shown again must keep."""
    return {path: text for path, text in typed.items() if mark_of(text) != seen.get(path)}


def show_fields(
    fields: Iterable[Correctable], typed: Mapping[str, str], both: Container[str]
) -> list[tuple[Correctable, str]]:
    """Each field with what was typed into it, if anything was, and what another tab wrote into it meanwhile."""
    return [
        (replace(one, text=typed.get(one.path, one.text)), (one.text or "(nothing)") if one.path in both else "")
        for one in fields
    ]


def mark_of(text: str) -> str:
    """Tells one text from another. It stands in the page that holds the text itself, and nowhere else."""
    return hashlib.sha256(plain(text).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def plain(text: str) -> str:
    """A form sends its line ends as CR LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def write_marks(fields: Iterable[Correctable]) -> str:
    """The marks of a page's texts, for one hidden field."""
    return " ".join(f"{one.path}={one.mark}" for one in fields)


def read_marks(said: str) -> dict[str, str]:
    """The inverse of `write_marks`. What is none is passed over."""
    pairs = (item.partition("=") for item in said.split())
    return {path: mark for path, equals, mark in pairs if equals}


def _step(place: Any, step: str) -> Any:
    if isinstance(place, list):
        at = _place_in(place, step)
        return None if at is None else place[at]
    return place.get(step) if isinstance(place, dict) else None


def _place_in(listed: list[Any], step: str) -> int | None:
    """A step's place in a list. In a copy of a card something else may stand than where the text was found."""
    return int(step) if step.isascii() and step.isdigit() and int(step) < len(listed) else None
