"""The report of a census: for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from mindstage.ops.census.places import Found
from mindstage.ops.census.remains import Remaining
from mindstage.ops.census.words import Fate, Planted

CLEAN, FOUND, VOID = 0, 1, 2
"""The exit codes."""


@dataclass(slots=True)
class Report:
    """What was planted, what was found of it, and what remains in clear.

    `found` names places as "moment: file". `void`: the reasons, if any, why this census proves nothing.
    """

    planted: list[Planted]
    found: set[Found] = field(default_factory=set)
    not_shown: set[str] = field(default_factory=set)
    void: list[str] = field(default_factory=list)
    remaining: list[Remaining] = field(default_factory=list)
    files: dict[str, dict[str, int]] = field(default_factory=dict)
    requests: int = 0
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        return VOID if self.void else FOUND if self.found else CLEAN

    @property
    def found_slots(self) -> set[str]:
        """The places whose word was found somewhere."""
        words = {found.word for found in self.found}
        return {planted.slot for planted in self.planted if planted.word in words}

    def as_json(self) -> dict[str, Any]:
        """The report without the words themselves."""
        return {
            "result": ("clean", "found", "void")[self.exit_code],
            "void": self.void,
            "words": [self._word(planted) for planted in self.planted],
            "files": self.files,
            "requests_to_narrator": self.requests,
            "remains_in_clear": [asdict(one) for one in self.remaining],
            "seconds": round(self.seconds, 1),
        }

    def _word(self, planted: Planted) -> dict[str, Any]:
        places = sorted({f"{found.place} ({found.way})" for found in self.found if found.word == planted.word})
        return {"planted_in": planted.slot, "fate": planted.fate.value, "found_in": places}

    def lines(self) -> Iterator[str]:
        """The report for people."""
        yield from self._table_of_words()
        yield ""
        yield from self._table_of_remains()
        yield ""
        for moment, files in self.files.items():
            size = sum(files.values()) / 1e6
            yield f"Looked at while {moment}: {len(files)} files, {size:.1f} MB, and each value of each database."
        yield f"Looked at: {self.requests} requests to the narrator."
        yield self._verdict()

    def _table_of_words(self) -> Iterator[str]:
        width = max((len(planted.slot) for planted in self.planted), default=0)
        yield f"{'A word was planted in':<{width}}  it is                      found"
        for planted in self.planted:
            places = self._word(planted)["found_in"]
            yield f"{planted.slot:<{width}}  {planted.fate.value:<25}  {'; '.join(places[:3]) or 'nowhere'}"

    def _table_of_remains(self) -> Iterator[str]:
        width = max((len(one.column) for one in self.remaining), default=0)
        yield f"{'What remains in clear':<{width}}   rows  which is"
        for one in self.remaining:
            yield f"{one.column:<{width}}  {one.rows:>5}  {one.entry or 'about nobody'}: {one.note}"

    def _verdict(self) -> str:
        kept = sum(planted.fate is Fate.SEALED for planted in self.planted)
        counted = f"{len(self.planted)} words ({kept} of them kept, sealed), {self.seconds:.0f} s"
        if self.void:
            return f"VOID: this census proves nothing. {' '.join(self.void)}"
        if self.found:
            return f"FOUND: {len(self.found_slots)} of {counted}. The table says where."
        return f"CLEAN: none of {counted}."
