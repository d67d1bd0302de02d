"""The machine's account of a change, in a form that the page can print: what it is about, before, after."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any, Final

from mindstage.datamap.content import in_words
from mindstage.datamap.differences import Difference

KEYS: Final = {
    "purpose": "why we hold it",
    "basis": "on what ground",
    "retention_active": "how long",
    "retention_after": "how long after deletion",
    "recipients": "who receives it",
    "erase": "how it ends",
    "export": "how you take it with you",
    "stores": "where it lies",
    "sealed": "how it is sealed",
    "opened_for": "what it may be opened for",
    "fields": "sealed fields",
    "metadata": "clear fields",
    "asks": "what you are asked",
    "default": "how it begins",
    "consent": "which choice it waits for",
    "holds": "what is in it",
    "ends": "until when",
    "sends": "what goes through it",
    "text": "the words",
    "part": "the words",
}
ALIKE: Final = 0.6
HOW: Final = {"added": "New", "removed": "Gone", "changed": "Changed"}


type Piece = tuple[str, str]


def describe(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """Each difference as {how, title, key, pieces}: words that are gone ("del"), new ("ins") or the same ("")."""
    return [
        {
            "how": HOW[found.how],
            "title": found.title,
            "key": KEYS.get(found.key, found.key.replace("_", " ")),
            "pieces": _pieces(_in_words(found.before).split(), _in_words(found.after).split()),
        }
        for found in differences
    ]


def _pieces(before: list[str], after: list[str]) -> list[Piece]:
    """Word by word, where the two have most of their words in common; else the one, then the other."""
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    if matcher.ratio() < ALIKE:
        return [piece for piece in (("del", " ".join(before)), ("ins", " ".join(after))) if piece[1]]
    pieces: list[Piece] = []
    for how, start, end, start_after, end_after in matcher.get_opcodes():
        if how == "equal":
            pieces.append(("", " ".join(before[start:end])))
            continue
        pieces += [("del", " ".join(before[start:end]))] if end > start else []
        pieces += [("ins", " ".join(after[start_after:end_after]))] if end_after > start_after else []
    return pieces


def _in_words(value: Any) -> str:
    """A value as text. The parts of a section are joined: their paragraphs, one after the other."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return (
            " ".join(_in_words(item) for item in value) if _is_prose(value) else ", ".join(map(str, value)) or "nobody"
        )
    if isinstance(value, dict):
        return " ".join(filter(None, (str(value.get("title", "")) + ".", _in_words(value.get("text", "")))))
    return in_words(value) if str(value).startswith("dpv:") else str(value)


def _is_prose(value: list[Any]) -> bool:
    return any(isinstance(item, dict) or " " in str(item) for item in value)
