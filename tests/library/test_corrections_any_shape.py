"""Whatever other programs put where texts should stand: a correction writes what was typed, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from library import card_makers as make
from mindstage.library import corrections
from mindstage.library.cards import CardRefused, read_card
from mindstage.library.contents import Kind, content_fits, list_texts, pack, put_texts
from mindstage.library.correctable import Correctable, pick_changes

WORDS = st.sampled_from(["", "Tor", "Wilhelm waits.", "a\nb", "{{user}}", "5"])
NAMES = st.sampled_from(["name", "comment", "keys", "key", "content", "prompt", "0", "a.b", "entries", "originalData"])
ANYTHING = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers(-3, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
LISTED = st.lists(WORDS | st.integers(0, 9), max_size=3)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "name": WORDS | st.integers(0, 9), "comment": ANYTHING, "content": WORDS, "keys": LISTED | WORDS,
        "key": LISTED, "secondary_keys": LISTED, "extensions": ANYTHING, "mood": ANYTHING,
    },
)  # fmt: skip
ENTRIES = st.lists(ENTRY, max_size=3) | st.dictionaries(st.sampled_from("0579"), ENTRY, max_size=3)
BOOK = st.fixed_dictionaries(
    {"entries": ENTRIES},
    optional={"name": ANYTHING, "description": ANYTHING, "originalData": ANYTHING, "extensions": ANYTHING},
)
PLACES = st.sampled_from([*corrections.LABELS, "extensions", "character_book", "name"])
FIELDS = st.dictionaries(PLACES, ANYTHING, max_size=5)
CARDS = st.sampled_from([make.v1, make.v2, make.v3, make.pygmalion])


def as_written(one: Correctable, text: str) -> str:
    return "\n".join(filter(None, (line.strip() for line in text.split("\n")))) if one.several else text


def texts_after(fields: list[Correctable], changes: list[tuple[Correctable, str]]) -> dict[str, str]:
    return {one.path: one.text for one in fields} | {one.path: as_written(one, text) for one, text in changes}


@given(CARDS, FIELDS, st.none() | BOOK, FIELDS, st.lists(WORDS, min_size=1, max_size=5))
def test_a_card(kind: Any, inside: Any, book: Any, beside: Any, typed: list[str]) -> None:
    """Also one that says much twice, in places and kinds that nobody expects."""
    raw = kind()
    raw.get("data", raw).update(inside | ({} if book is None else {"character_book": book}))
    raw = beside | raw
    try:
        read_card(make.to_json(raw))
    except CardRefused:
        return
    fields = [one for group in corrections._walk(corrections._values_of(raw)) for one in group.fields]
    assert len({one.path for one in fields}) == len(fields)
    changes = pick_changes(fields, {one.path: typed[at % len(typed)] for at, one in enumerate(fields) if at % 2}, {})
    corrections._put(raw, changes)
    after = [one for group in corrections._walk(corrections._values_of(raw)) for one in group.fields]
    assert {one.path: one.text for one in after} == texts_after(fields, changes)


@given(BOOK, st.lists(WORDS, min_size=1, max_size=5))
def test_a_lorebook(book: Any, typed: list[str]) -> None:
    """It can be read again, or is refused with a sentence: behind an emptied name a comment may be no text."""
    if not content_fits(Kind.LOREBOOK, book):
        return
    fields = [one for group in list_texts(Kind.LOREBOOK, "Lamps", book) for one in group.fields]
    changes = pick_changes(fields, {one.path: typed[at % len(typed)] for at, one in enumerate(fields) if at % 2}, {})
    put_texts(Kind.LOREBOOK, book, changes)
    after = [one for group in list_texts(Kind.LOREBOOK, "Lamps", book) for one in group.fields]
    assert {one.path: one.text for one in after} == texts_after(fields, changes)
    with suppress(CardRefused):
        assert pack(Kind.LOREBOOK, book)
