"""The report of a census: for people, and as JSON that is signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from mindstage.ledger.signed import CENSUS
from mindstage.ops.census.places import Found, Sweep
from mindstage.ops.census.remains import Remaining
from mindstage.ops.census.strange import find_strange_files
from mindstage.ops.census.words import Fate, Planted

CLEAN, FOUND, VOID = 0, 1, 2
"""The exit codes."""


@dataclass(slots=True)
class Report:
    """What was planted, what was found of it, and what remains.

    `found` and `pictures` name places as "moment: file". `problems`: what else must not be, a sentence each. `void`:
    the reasons, if any, why this census proves nothing. `attempts`: moment -> counts of an attempt to open everything.
    """

    planted: list[Planted]
    people: int = 1
    left: int = 0
    found: set[Found] = field(default_factory=set)
    pictures: set[str] = field(default_factory=set)
    strange: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    not_shown: set[str] = field(default_factory=set)
    void: list[str] = field(default_factory=list)
    remaining: list[Remaining] = field(default_factory=list)
    attempts: dict[str, dict[str, int]] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    idents: dict[str, int] = field(default_factory=dict)
    written_to: set[str] = field(default_factory=set)
    """The addresses, by name, to which something was sent."""
    asked: str = ""
    """How erasures were asked for."""
    files: dict[str, dict[str, int]] = field(default_factory=dict)
    server: str = ""
    """Of databases on a server: what of it was looked at, and what was not. Empty where they are files."""
    elsewhere: dict[str, dict[str, int]] = field(default_factory=dict)
    """Files of the server, as `files`."""
    requests: int = 0
    letters: int = 0
    receipts: int = 0
    nights: int = 0
    seconds: float = 0.0
    signing_seed: bytes = field(default=b"", repr=False)
    """What the instance under census signs with."""

    def look(self, moment: str, seen: Sweep) -> None:
        """Take in what a look over the whole folder of an instance saw."""
        self.files[moment] = seen.files
        if self.server:
            self.elsewhere[moment] = seen.elsewhere
        self.found |= {Found(one.word, f"{moment}: {one.place}", one.way) for one in seen.found}
        self.pictures |= {f"{moment}: {place}" for place in seen.pictures}
        self.strange |= {f"{moment}: {name}" for name in find_strange_files(seen.files)}

    def complain_of_opened(self, moment: str, words: set[str]) -> None:
        """Words of people who were erased stood in what could be opened."""
        if words:
            slots = sorted({one.slot for one in self.planted if one.word in words})
            self.problems.append(f"What was erased could still be opened {moment}: {', '.join(slots)}.")

    @property
    def exit_code(self) -> int:
        wrong = self.found or self.pictures or self.strange or self.problems
        return VOID if self.void else FOUND if wrong else CLEAN

    @property
    def found_slots(self) -> set[str]:
        """The places whose word was found somewhere."""
        words = {found.word for found in self.found}
        return {planted.slot for planted in self.planted if planted.word in words}

    def as_json(self) -> dict[str, Any]:
        """The report without the words themselves: what a signature covers."""
        return {
            "format": CENSUS,
            "result": ("clean", "found", "void")[self.exit_code],
            "void": self.void,
            "problems": self.problems,
            "pictures_in_clear": sorted(self.pictures),
            "files_of_no_known_kind": sorted(self.strange),
            "people": self.people,
            "erased": self.left,
            "erasures_asked_for": self.asked,
            "written_to": sorted(self.written_to),
            "words": list(self._words()),
            "attempts": self.attempts,
            "receipts_verified": self.receipts,
            "nights": self.nights,
            "kept_about_the_erased": self.kept,
            "identifiers_of_the_erased": self.idents,
            "files": self.files,
            "server": self.server,
            "files_of_the_server": self.elsewhere,
            "requests_to_narrator": self.requests,
            "letters": self.letters,
            "remains_in_clear": [asdict(one) for one in self.remaining],
            "seconds": round(self.seconds),
        }

    def _words(self) -> Iterator[dict[str, Any]]:
        """By the place that they were planted in, for all people together."""
        slots: dict[str, list[Planted]] = {}
        for planted in self.planted:
            slots.setdefault(planted.slot, []).append(planted)
        places: dict[str, set[str]] = {}
        for found in self.found:
            places.setdefault(found.word, set()).add(f"{found.place} ({found.way})")
        for slot, planted_here in slots.items():
            found_in = sorted(set().union(*(places.get(one.word, set()) for one in planted_here)))
            yield {
                "planted_in": slot,
                "words": len(planted_here),
                "fate": planted_here[0].fate.value,
                "found_in": found_in,
            }

    def lines(self) -> Iterator[str]:
        """The report for people."""
        yield from self._table_of_words()
        yield ""
        yield from self._table_of_remains()
        yield ""
        yield from self._looks()
        yield from self._what_was_tried()
        yield from (f"WRONG: a picture lies in clear, {place}." for place in sorted(self.pictures))
        yield from (f"WRONG: a file of no known kind, {name}." for name in sorted(self.strange))
        yield from (f"WRONG: {problem}" for problem in self.problems)
        yield self._verdict()

    def _looks(self) -> Iterator[str]:
        for moment, files in self.files.items():
            size = sum(files.values()) / 1e6
            yield f"Looked at, {moment}: {len(files)} files, {size:.1f} MB, and each value of each database."
            if theirs := self.elsewhere.get(moment):
                yield f"  and {len(theirs)} files of the server, {sum(theirs.values()) / 1e6:.1f} MB."
        if self.server:
            yield self.server
        yield f"Something was sent to {len(self.written_to)} addresses of the program."
        yield f"Looked at: {self.requests} requests to the narrator, {self.letters} letters."

    def _what_was_tried(self) -> Iterator[str]:
        for moment, counts in self.attempts.items():
            yield (
                f"Tried to open, {moment}: {counts['values']} sealed values and {counts['files']} sealed files with "
                f"{counts['keys']} keys out of {counts['keystores']} keystores and copies of keystores; opened "
                f"{counts['opened']} and {counts['files_opened']}."
            )
        if self.left:
            erased = f"{self.left} of {self.people} people"
            yield f"Erased: {erased}, {self.receipts} receipts verified, {self.nights} nights."
            yield f"The erasures were asked for {self.asked}."
            yield from (f"Kept about the erased: {count} {name}." for name, count in self.kept.items())
            yield f"Identifiers of the erased that still stand somewhere: {sum(self.idents.values())}."
            yield from (f"  {place}: {count}" for place, count in self.idents.items())

    def _table_of_words(self) -> Iterator[str]:
        width = max((len(planted.slot) for planted in self.planted), default=0)
        yield f"{'A word was planted in':<{width}}  it is                      found"
        for line in self._words():
            found = "; ".join(line["found_in"][:3]) or "nowhere"
            yield f"{line['planted_in']:<{width}}  {line['fate']:<25}  {found}"

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
        if self.exit_code == FOUND:
            return f"FOUND: {len(self.found_slots)} kinds of words of {counted}. The lines above say what and where."
        done = "" if self.left else " Nothing was erased in it: it says nothing about erasure."
        return f"CLEAN: none of {counted}.{done}"
