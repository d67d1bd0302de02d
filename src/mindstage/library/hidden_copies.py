"""Old words that other programs left a second time in a file, where no page shows them, go with a correction too.

Whoever corrects a text means all of it: what is kept, taken along and read by another program must not say the old
words any more. Why a hidden text is changed and not dropped: docs/decisions/0011.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any, Final

from mindstage.library.correctable import Correctable, plain

type Place = tuple[str, ...]

SHORTEST: Final = 3
"""Characters. What is shorter is found in any text."""
FORMATS: Final = frozenset({("spec",), ("spec_version",)})
"""What a file says of its own form is nobody's words."""
WHOLE_COPIES: Final = ("originalData",)
"""Of a book: SillyTavern keeps the card's book a second time beside the entries, and reads it only without them."""


def correct_copies(content: dict[str, Any], shown: Set[Place], changes: Iterable[tuple[Correctable, str]]) -> None:
    """Put the new words wherever in `content` the old ones stand by themselves in a text that no page shows.

    `shown`: the places of those that a page shows, which stay as they are: their author sees them.
    """
    swaps = dict(pair for one, text in changes if _tells(one) for pair in _forms(one.text, text))
    said = "\n".join(_texts(content, (), shown | FORMATS))
    if found := sorted((old for old in swaps if old in said), key=len, reverse=True):
        words = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, found))})(?!\w)")
        _correct(content, (), shown | FORMATS, lambda text: words.sub(lambda old: swaps[old.group()], text))


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


def _texts(value: Any, place: Place, shown: Set[Place]) -> Iterator[str]:
    if place in shown:
        return
    if isinstance(value, str):
        yield value
    for step, inner in _steps(value):
        yield from _texts(inner, (*place, str(step)), shown)


def _correct(value: Any, place: Place, shown: Set[Place], swap: Callable[[str], str]) -> None:
    for step, inner in _steps(value):
        there = (*place, str(step))
        if there in shown:
            continue
        if isinstance(inner, str):
            value[step] = swap(inner)
        else:
            _correct(inner, there, shown, swap)


def _steps(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []
