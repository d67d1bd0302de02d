"""Where a reply may end, so that a limit of tokens does not cut it off in mid-sentence."""

from __future__ import annotations

import re

CHARACTERS_A_TOKEN = 3.4
"""English prose has 4.2 with the vocabularies measured; a fifth less leaves room for a last sentence."""

_CLOSERS = "\"”’»'*_)"
_STOPS = ".!?…"
_TAIL = 64
"""Characters. Where so many quotation marks and brackets stand in a row, no sentence ends."""


def long_enough(reply_tokens: int) -> int:
    """How many characters a reply may have before the next end of a sentence is taken as its end."""
    return int(reply_tokens * CHARACTERS_A_TOKEN)


_END = re.compile(rf"[{_STOPS}][{_CLOSERS}]*(?=\s)")


class SentenceWatch:
    """Follows a text as it grows. It looks at each piece once: whoever sends letter by letter makes nobody wait."""

    __slots__ = ("_curly", "_straight", "_tail")

    def __init__(self, text: str = "") -> None:
        self._curly = self._straight = 0
        self._tail = ""
        self.feed(text)

    def feed(self, piece: str) -> None:
        """The text goes on."""
        _, line_break, begun = piece.rpartition("\n")
        if line_break:
            self._begin_paragraph()
        self._curly += begun.count("“") - begun.count("”")
        self._straight += begun.count('"')
        self._tail = (self._tail + begun)[-_TAIL:]

    def take(self, piece: str, *, free: int) -> tuple[str, bool]:
        """The text goes on. What of the piece is told, and whether the text ends with it.

        It ends with the first sentence that does past the piece's first `free` characters: many words may come at once.
        """
        ends = [*(found.end() for found in _END.finditer(piece)), len(piece)] if len(piece) >= free else []
        at = 0
        for end in ends:
            self.feed(piece[at:end])
            at = end
            if end >= free and self.at_end():
                return piece[:end], True
        self.feed(piece[at:])
        return piece, False

    def at_end(self) -> bool:
        """Whether the text stops at the end of a sentence, with nothing left open of what its last paragraph opened."""
        closed = self._curly <= 0 and self._straight % 2 == 0
        return closed and self._tail.rstrip().rstrip(_CLOSERS).endswith(tuple(_STOPS))

    def _begin_paragraph(self) -> None:
        self._curly = self._straight = 0
        self._tail = ""
