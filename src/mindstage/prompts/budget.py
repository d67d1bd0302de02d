"""Counting and cutting text to a number of tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mindstage.prompts.inputs import Message, Overheads

ELLIPSIS = "…"

# No token of a usual vocabulary stands for more letters than this on average, so what lies beyond cannot fit.
LETTERS_A_TOKEN = 12

SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]*_]*(?=\s|$)|\n")
WORD_START = re.compile(r"(?<=\s)(?=\S)")
PARAGRAPH_START = re.compile(r"(?<=\n)(?=[^\n])")


class Meter:
    """Counts texts, each only once, and messages with what they cost besides their text."""

    def __init__(self, count: Callable[[str], int], overheads: Overheads) -> None:
        self.count = count
        self.overheads = overheads
        self.overhead = overheads.most
        self._known: dict[str, int] = {"": 0}

    def tokens(self, text: str) -> int:
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self.count(text)
        return known

    def message(self, text: str) -> int:
        """What a message of whoever speaks costs at most."""
        return self.tokens(text) + self.overhead

    def exactly(self, message: Message) -> int:
        """What this message costs."""
        return self.tokens(message.content) + self.overheads.of(message.role)


def keep_start(text: str, *, tokens: int, count: Callable[[str], int]) -> str:
    """The longest beginning that fits, ended at a sentence or paragraph; at a word, with an ellipsis, if need be."""
    if count(text) <= tokens:
        return text
    text = text[: max(tokens, 0) * LETTERS_A_TOKEN]
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    if kept := _longest(ends, lambda end: text[:end].rstrip(), tokens=tokens, count=count):
        return kept
    ends = [match.start() for match in WORD_START.finditer(text)]
    return _longest(ends, lambda end: text[:end].rstrip() + ELLIPSIS, tokens=tokens, count=count)


def keep_end(text: str, *, tokens: int, count: Callable[[str], int]) -> str:
    """The longest end that fits, begun at a paragraph, else at a word, and marked as cut."""
    if count(text) <= tokens:
        return text
    text = text[-max(tokens, 1) * LETTERS_A_TOKEN :]
    for border in (PARAGRAPH_START, WORD_START):
        starts = [match.start() for match in border.finditer(text)]
        kept = _longest(starts[::-1], lambda start: f"{ELLIPSIS} {text[start:]}", tokens=tokens, count=count)
        # One short closing paragraph would throw away too much of what was said.
        if kept and (border is WORD_START or count(kept) * 2 > tokens):
            return kept
    sizes = range(1, min(len(text), max(tokens, 0)) + 1)
    return _longest(sizes, lambda size: text[-size:], tokens=tokens, count=count)


def _longest(places: Sequence[int], cut: Callable[[int], str], *, tokens: int, count: Callable[[str], int]) -> str:
    """The longest cut that fits; the places are ordered so that later ones give longer texts.

    Searched by halves, and what is returned was itself counted, so it fits whatever the counter does.
    """
    low, high, best = 0, len(places) - 1, ""
    while low <= high:
        middle = (low + high) // 2
        piece = cut(places[middle])
        if count(piece) <= tokens:
            best, low = piece, middle + 1
        else:
            high = middle - 1
    return best


def limit_words(text: str, words: int) -> str:
    """At most so many words, ended at a sentence where one ends in time."""
    if len(text.split(None, words)) <= words:
        return text
    return keep_start(text, tokens=words, count=lambda piece: len(piece.split()))
