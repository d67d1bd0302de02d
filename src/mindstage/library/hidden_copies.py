"""Old words that other programs left a second time in a file, where no page shows them, go with a correction too.

Whoever corrects a text means all of it: what is kept, taken along and read by another program must not say the old
words any more. Why a hidden text is changed and not dropped: docs/decisions/0011.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, Final

from mindstage.library.correctable import Correctable, plain

type Place = tuple[str, ...]

SHORTEST: Final = 3
"""Characters. What is shorter is found in any text."""
FORMATS: Final = frozenset({("spec",), ("spec_version",)})
"""What a file says of its own form is nobody's words."""
BETWEEN: Final = "\x00"
"""Between texts that are searched together: none holds it."""
WHOLE_COPIES: Final = ("originalData",)
"""Of a book: SillyTavern keeps the card's book a second time beside the entries, and reads it only without them."""


def correct_copies(content: dict[str, Any], shown: Set[Place], changes: Iterable[tuple[Correctable, str]]) -> None:
    """Put the new words wherever in `content` the old ones stand by themselves in a text that no page shows.

    `shown`: the places of those that a page shows, which stay as they are: their author sees them.
    """
    swaps = dict(pair for one, text in changes if _tells(one) for pair in _forms(one.text, text))
    places = list(_hidden(content, (), shown | FORMATS))
    before = BETWEEN.join(values[step] for values, step in places)
    after = _swap(before, swaps).split(BETWEEN)
    if len(after) == len(places):  # else a new text holds what none may: it is refused by whoever stores it
        for (values, step), text in zip(places, after, strict=True):
            values[step] = text


def drop_whole_copies(book: dict[str, Any]) -> None:
    """A copy of all entries is worth nothing once one of them is corrected."""
    for name in WHOLE_COPIES:
        book.pop(name, None)


def _tells(one: Correctable) -> bool:
    """Whether a text is its author's own. Single keys, tags and a version are found in many a setting."""
    return not one.several and len(one.text.strip()) >= SHORTEST and not one.path.endswith("version")


def _forms(old: str, new: str) -> Iterator[tuple[str, str]]:
    """As it is, with other line ends, and as it stands in JSON within a text."""
    for text in dict.fromkeys((old, plain(old))):
        yield text.strip(), new.strip()
        for ascii_only in (True, False):
            yield _quoted(text.strip(), ascii_only), _quoted(new.strip(), ascii_only)


def _quoted(text: str, ascii_only: bool) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]


def _hidden(value: Any, place: Place, shown: Set[Place]) -> Iterator[tuple[Any, Any]]:
    """What holds a text that no page shows, and where in it."""
    for step, inner in _steps(value):
        there = (*place, str(step))
        if there in shown:
            continue
        if isinstance(inner, str):
            yield value, step
        else:
            yield from _hidden(inner, there, shown)


def _steps(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _swap(text: str, swaps: Mapping[str, str]) -> str:
    """All at once, so that no new words are taken for old ones; of two that begin at one place the longer one goes.

    One search for each: a pattern of all of them would keep the whole process from everything else meanwhile.
    """
    pieces, end = list[str](), 0
    for at, length in sorted((at, -len(old)) for old in swaps for at in _places_of(old, text)):
        if at >= end:
            pieces += text[end:at], swaps[text[at : at - length]]
            end = at - length
    return "".join((*pieces, text[end:]))


def _places_of(old: str, text: str) -> Iterator[int]:
    at = text.find(old)
    while at >= 0:
        end = at + len(old)
        if not (at and _in_word(text[at - 1])) and not (end < len(text) and _in_word(text[end])):
            yield at
        at = text.find(old, at + 1)


def _in_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"
