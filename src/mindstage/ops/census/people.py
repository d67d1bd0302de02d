"""The people of a census: half of them leave, and half stay and must lose nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from mindstage.datamap.scanner import Scanner
from mindstage.ops.census.places import Where
from mindstage.ops.census.visit import ENDED, Visit
from mindstage.ops.census.words import Fate, Planted, Words

MORTAL = frozenset(
    (
        "draft",
        "turn in the trash",
        "reply in the trash",
        "public key that an export is encrypted to",
    )
)
"""What ends by its own clock before the census does: of those who stay too."""


@dataclass(slots=True)
class Resident:
    """Somebody with an account. `read`: page and word, as their pages showed them when all was well.

    `texts`: each text that was kept of them then, and the words in it.
    """

    visit: Visit
    leaves: bool
    account: uuid.UUID | None = None
    claim_code: str = field(default="", repr=False)
    read: set[tuple[str, str]] = field(default_factory=set, repr=False)
    texts: dict[Where, tuple[bytes, frozenset[str]]] = field(default_factory=dict, repr=False)

    @property
    def words(self) -> Words:
        return self.visit.words

    def lasting(self) -> list[Planted]:
        """What must be readable for as long as the account lives."""
        return [one for one in self.words.planted if one.fate is Fate.SEALED and one.slot not in MORTAL | set(ENDED)]

    def to_be_gone(self) -> set[str]:
        """What nobody may open in the end: everything of whoever leaves, and the story that the others end."""
        return {one.word for one in self.words.planted if self.leaves or one.slot in ENDED}

    def seen_on(self, pages: Mapping[str, bytes]) -> set[tuple[str, str]]:
        """Which of their lasting words each page shows. A word that stands on two pages can be lost on one."""
        scanner = Scanner(planted.word for planted in self.lasting())
        return {(page, one.word) for page, body in pages.items() for one in scanner.scan(body)}

    def slots_of(self, words: set[str]) -> list[str]:
        """The places that these words were planted in."""
        return sorted({one.slot for one in self.words.planted if one.word in words})


AT_ONCE: Final = 4
"""A visit mostly waits (for a slow hash, for a letter), so several at once take little longer than one."""


def each_at_once[Outcome](people: list[Resident], deed: Callable[[Resident], Outcome]) -> list[Outcome]:
    """Let everybody do something, a few at a time, as on an instance with visitors. Raises what the first raises."""
    with ThreadPoolExecutor(AT_ONCE) as several:
        return list(several.map(deed, people))


def all_planted(people: list[Resident]) -> list[Planted]:
    """Every word of everybody."""
    return [planted for person in people for planted in person.words.planted]
