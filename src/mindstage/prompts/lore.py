"""Which lore a turn calls up: constants always, the others when a key occurs in the newest turns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mindstage.prompts.inputs import LoreEntry, PastTurn

Expand = Callable[[str], str]

# A book is its author's, the machine everybody's: no book may hold a turn up. Honest ones stay far below both.
MOST_KEYS = 50_000
MOST_PLACES = 1_000
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Fired:
    """An entry that belongs into the prompt, with the key that called it ("" for a constant)."""

    entry: LoreEntry
    key: str
    content: str


def constants(lore: Iterable[LoreEntry], *, expand: Expand) -> list[Fired]:
    """The entries that are always in the prompt, in reading order. They belong to its unchanging head."""
    return _written(((entry, "") for entry in lore if entry.enabled and entry.constant), expand)


def keyed(lore: Iterable[LoreEntry], *, expand: Expand) -> list[Fired]:
    """Every entry that some turn could call up, in reading order, whether it is called or not."""
    return _written(((entry, "") for entry in lore if entry.enabled and not entry.constant and entry.keys), expand)


def called_up(lore: Iterable[LoreEntry], turns: Sequence[PastTurn], *, depth: int, expand: Expand) -> list[Fired]:
    """The entries whose keys occur in the newest `depth` turns, in reading order, each once."""
    text = "\n".join(f"{turn.speaker}: {turn.text}" for turn in turns[-depth:]) if depth > 0 else ""
    scanned = Scanned(text)
    fired = []
    for entry in lore:
        if entry.enabled and not entry.constant and (key := _key_of(entry, scanned, expand)):
            fired.append((entry, key))
    return _written(fired, expand)


class Scanned:
    """The text that keys are looked for in, cut into words once for all of them, by the first that asks.

    `spare`: how many keys are still looked for.
    """

    def __init__(self, text: str) -> None:
        self.texts = {True: text, False: text.casefold()}
        self.words: dict[bool, frozenset[str]] = {}
        self.spare = MOST_KEYS
        self._held: dict[tuple[str, bool], bool] = {}

    def holds(self, key: str, *, case_sensitive: bool) -> bool:
        """Whether the key occurs. A key of one word must be a whole word; several words match anywhere."""
        sought = key if case_sensitive else key.casefold()
        if sought.replace("_", "a").isalnum():
            return sought in self._words(case_sensitive)
        known = self._held.get((sought, case_sensitive))
        if known is None:
            text = self.texts[case_sensitive]
            known = sought in text if len(sought.split()) > 1 else _holds_word(text, sought)
            self._held[sought, case_sensitive] = known
        return known

    def _words(self, exact: bool) -> frozenset[str]:
        if exact not in self.words:
            self.words[exact] = frozenset(_WORD.findall(self.texts[exact]))
        return self.words[exact]


def _holds_word(text: str, word: str) -> bool:
    """For words with other signs in them. Where the first MOST_PLACES lie inside longer words, so does the rest."""
    at = text.find(word)
    for _ in range(MOST_PLACES):
        if at < 0:
            return False
        end = at + len(word)
        if not (at and _in_word(text[at - 1])) and not (end < len(text) and _in_word(text[end])):
            return True
        at = text.find(word, at + 1)
    return False


def _in_word(character: str) -> bool:
    return character == "_" or character.isalnum()


def _key_of(entry: LoreEntry, scanned: Scanned, expand: Expand) -> str:
    """The first key that fires the entry, or "". Secondary keys count only in a selective entry: one must occur."""
    key = _first_held(entry.keys, entry, scanned, expand)
    if (
        key
        and entry.selective
        and entry.secondary_keys
        and not _first_held(entry.secondary_keys, entry, scanned, expand)
    ):
        return ""
    return key


def _first_held(keys: Iterable[str], entry: LoreEntry, scanned: Scanned, expand: Expand) -> str:
    for key in keys:
        scanned.spare -= 1
        if scanned.spare < 0:
            return ""
        sought = expand(key).strip()
        if sought and scanned.holds(sought, case_sensitive=entry.case_sensitive):
            return sought
    return ""


def _written(chosen: Iterable[tuple[LoreEntry, str]], expand: Expand) -> list[Fired]:
    # Expanded in reading order, so that a variable is set before it is read.
    in_order = sorted(chosen, key=lambda one: one[0].order)
    fired = (Fired(entry, key, expand(entry.content).strip()) for entry, key in in_order)
    return [one for one in fired if one.content]


def within(fired: Sequence[Fired], *, tokens: int, cost: Callable[[str], int]) -> list[Fired]:
    """As many entries as the budget holds. The highest order goes first, and the first that does not fit ends it.

    That is how SillyTavern spends its lore budget, which authors test against; reading order stays as it was.
    """
    kept = 0
    for one in reversed(fired):
        tokens -= cost(one.content)
        if tokens < 0:
            break
        kept += 1
    return list(fired[len(fired) - kept :])
