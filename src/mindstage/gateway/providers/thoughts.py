"""Parts what a model says from what it thinks aloud before. Pure.

Some models write their thoughts into the text, between `<think>` and `</think>`, unless their server takes them out
(DeepSeek-R1 and Qwen3 do; the marks are theirs). A story wants none of it: they are neither shown nor stored.
"""

from typing import Final

MARKS: Final = {"<think>": "</think>", "<thinking>": "</thinking>"}


class Thoughts:
    """Give it the pieces of a reply. A thought stands before the first word; later marks are text.

    `begun`: there is a thought, or was one.
    """

    __slots__ = ("_end", "_held", "_speaks", "begun")

    def __init__(self) -> None:
        self.begun = False
        self._held = ""
        self._end = ""
        self._speaks = False

    def part(self, piece: str) -> str:
        """What is said of a piece: nothing while it is a thought, or may yet be one."""
        if self._speaks:
            return piece
        self._held += piece
        if not self._end:
            begun = self._held.lstrip()
            self._end = next((end for mark, end in MARKS.items() if begun.startswith(mark)), "")
            if not self._end:
                return "" if any(mark.startswith(begun) for mark in MARKS) else self.rest()
            self.begun = True
        _, over, said = self._held.partition(self._end)
        if over:
            self._held, self._end = said, ""
            return self.rest()
        self._held = self._held[-len(self._end) :]  # the mark may come in pieces
        return ""

    def rest(self) -> str:
        """What was held back: words have begun, or no more will come. A thought without an end stays untold."""
        held = "" if self._end else self._held
        self._held, self._speaks = "", True
        return held
