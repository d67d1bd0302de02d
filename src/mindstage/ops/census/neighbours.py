"""Whoever stays loses nothing: each page shows what it showed, and each text that is kept is what it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from mindstage.datamap.scanner import Scanner
from mindstage.ops.census.browser import Unexpected
from mindstage.ops.census.leaving import read_again, sign_in
from mindstage.ops.census.passkey_doors import may_come_with_passkey
from mindstage.ops.census.people import Resident
from mindstage.ops.census.places import Where

COUNTING: Final = "accounts_factor.sealed"
"""A passkey counts how often it was used: of these texts only the words must be the same."""


def note_texts(people: list[Resident], texts: Mapping[Where, bytes]) -> None:
    """Note each text of the instance that holds a lasting word of somebody who stays, while all is well."""
    whose = {one.word: person for person in people if not person.leaves for one in person.lasting()}
    scanner = Scanner(whose)
    for where, text in texts.items():
        words = _words_in(text, scanner)
        for word in words:
            whose[word].texts[where] = (text, words)


def compare_texts(people: list[Resident], texts: Mapping[Where, bytes], *, moment: str) -> Iterator[str]:
    """What is wrong with the texts of those who stay, a sentence for each person: one that is gone, shut or another.

    No page shows all of them, and a text that is lost in one place may stand in another: an older version, a copy that
    was brought in, a backup. So each is compared where it stood.
    """
    for person in people:
        harmed = {where for where, noted in person.texts.items() if not _is_same(where, noted, texts.get(where))}
        if harmed:
            lost = set().union(*(person.texts[where][1] for where in harmed))
            columns = sorted({where.column for where in harmed})
            slots = person.slots_of(lost)
            yield (
                f"Texts of somebody who stayed are lost or changed {moment} ({len(harmed)}, in {', '.join(columns)}): "
                f"{', '.join(slots)}."
            )


def note_pages(person: Resident) -> None:
    """Note what whoever stays can read while all is well. Raises Unexpected."""
    sign_in(person.visit)
    person.read = person.seen_on(read_again(person.visit))
    person.visit.other.post("/session/end/", {})


def visit_again(person: Resident, port: int) -> Iterator[str]:
    """Log in and read everything once more: what is wrong. Whatever a neighbour is refused is a find."""
    person.visit.other.port = port
    try:
        yield from _read_and_compare(person)
    except Unexpected as refused:
        yield f"Somebody who stayed is not let in: {refused}"


def _read_and_compare(person: Resident) -> Iterator[str]:
    sign_in(person.visit)
    lost = person.read - person.seen_on(read_again(person.visit))
    if lost or not person.read:
        slots = person.slots_of({word for _, word in lost})
        yield f"Somebody who stayed can no longer read: {', '.join(slots)}."
    person.visit.other.post("/session/end/", {})
    if not may_come_with_passkey(person.visit.other, person.words, person.visit.device):
        yield "Somebody who stayed can no longer log in with their passkey."


def _is_same(where: Where, noted: tuple[bytes, frozenset[str]], now: bytes | None) -> bool:
    text, words = noted
    if now is None or where.column != COUNTING:
        return now == text
    return _words_in(now, Scanner(words)) == words


def _words_in(text: bytes, scanner: Scanner) -> frozenset[str]:
    return frozenset(one.word for one in scanner.scan(text))
