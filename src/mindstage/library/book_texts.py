"""The texts of a lorebook that people correct: of one that stands for itself, and of the one in a character's card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mindstage.library.cards.lore import OTHER_NAMES, list_entries, put_value, with_card_names
from mindstage.library.correctable import IN_LINES, Correctable, Group, texts_of

type Json = dict[str, Any]

ENTRY: Final[Mapping[str, str]] = {
    "name": "Name", "comment": "Comment", "keys": "Words that call it up", "secondary_keys": "Further words",
    "content": "Text",
}  # fmt: skip
"""Other programs show the comment as the entry's title."""


def walk_entries(book: Json, prefix: str = "") -> Iterator[Group]:
    """Each entry's texts, in the order of the book. Raises CardRefused."""
    for number, entry in enumerate(list_entries(book)):
        fields = list(texts_of_entry(f"{prefix}entries.{number}", entry))
        yield Group("lore", _called(fields), fields)


def texts_of_entry(path: str, entry: Json) -> Iterator[Correctable]:
    named = with_card_names(entry)
    for name, label in ENTRY.items():
        if name in IN_LINES or not isinstance(named.get(name), list):  # other lists are nothing that anybody reads
            yield from texts_of(f"{path}.{name}", label, named.get(name))


def put_entry_text(book: Json, one: Correctable, text: str) -> None:
    """Write a text of an entry (its path ends in `entries.2.content`) under each name that it has there.

    Raises CardRefused.
    """
    number, name = (one.path.split("."))[-2:]
    words: object = [word for line in text.split("\n") if (word := line.strip())] if one.several else text
    entries = list_entries(book)
    if int(number) < len(entries):
        entries[int(number)] = put_value(entries[int(number)], name, words)
        book["entries"] = entries


def places_of_entries(book: Json) -> Iterator[tuple[str, ...]]:
    """Where in the book's own JSON the texts stand that `walk_entries` finds."""
    entries = book.get("entries")
    keys = entries if isinstance(entries, dict) else range(len(entries or ()))
    for key in keys:
        for name in ENTRY:
            yield ("entries", str(key), name)
            yield ("entries", str(key), OTHER_NAMES.get(name, name))


def _called(fields: list[Correctable]) -> str:
    """Its name, else its comment, else the first word that calls it up."""
    texts = (one.text for name in ("name", "comment", "keys") for one in fields if one.path.endswith(f".{name}"))
    return next(filter(None, texts), "").partition("\n")[0]
