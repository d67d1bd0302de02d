"""Lore by plain keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mindstage.prompts import lore
from mindstage.prompts.inputs import LoreEntry, PastTurn
from prompts import worlds


def fired(
    *entries: LoreEntry, text: str = "", turns: tuple[PastTurn, ...] = (), depth: int = 4
) -> list[tuple[str, str]]:
    turns = turns or (PastTurn(1, "say", "Mira", text),)
    return [(one.entry.name, one.key) for one in lore.called_up(entries, turns, depth=depth, expand=lambda text: text)]


def entry(*keys: str, **changes: object) -> LoreEntry:
    return replace(LoreEntry(name="it", keys=keys, content="content"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "text", "found"),
    [
        ("guild", "The GUILD waits.", True),
        ("guild", "the guilds wait", False),
        ("guild", "(guild)", True),
        ("guild", "guildguild guild", True),
        ("guild", "guild_hall", False),
        ("sealed letter", "unsealed letters", True),
        ("straße", "STRASSE", True),
        ("", "anything", False),
        ("  ", "anything", False),
        (".", "a . b", True),
        ("mira", "hello", True),
    ],
)
def test_keys_match_as_authors_expect(key: str, text: str, found: bool) -> None:
    """One word is a whole word, several words may stand anywhere, case is folded, the speaker's name counts."""
    assert fired(entry(key), text=text) == ([("it", key.strip())] if found else [])


def test_case_matters_where_the_entry_says_so() -> None:
    """A case-sensitive key finds only its own spelling."""
    assert not fired(entry("Ash", case_sensitive=True), text="ash")
    assert fired(entry("Ash", case_sensitive=True), text="Ash") == [("it", "Ash")]


def test_secondary_keys_count_only_in_selective_entries() -> None:
    """Selective: one primary and one secondary key must occur."""
    both = entry("guild", secondary_keys=("wax", "seal"))
    assert fired(both, text="guild")
    assert not fired(replace(both, selective=True), text="guild")
    assert fired(replace(both, selective=True), text="guild seal") == [("it", "guild")]


def test_what_never_fires() -> None:
    """Disabled entries, empty contents and constants are not called up by keys."""
    assert not fired(entry("a", enabled=False), entry("a", content=" "), entry("a", constant=True), text="a")
    assert not lore.constants([entry(constant=True, enabled=False)], expand=str)


def test_only_the_newest_turns_are_scanned_and_each_entry_comes_once() -> None:
    """Depth counts turns; 0 scans nothing; two keys of one entry insert it once, under the first."""
    turns = worlds.story(9)
    assert fired(entry("5", "6"), turns=turns) == [("it", "5")]
    assert not fired(entry("4"), turns=turns)
    assert not fired(entry("8"), turns=turns, depth=0)


def test_low_orders_stand_first_and_high_orders_are_paid_first() -> None:
    """Reading order is ascending; when tokens run out the lowest orders go."""
    book = [entry("a", name=str(order), order=order) for order in (30, 10, 20)]
    found = lore.called_up(book, (PastTurn(1, "say", "x", "a"),), depth=1, expand=lambda text: text)
    assert [one.entry.order for one in found] == [10, 20, 30]
    assert [one.entry.order for one in lore.within(found, tokens=2, cost=lambda _: 1)] == [20, 30]
    assert lore.within(found, tokens=0, cost=lambda _: 1) == []
