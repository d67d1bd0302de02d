"""A card is its author's, the machine everybody's: no card may hold a turn, or the house, up."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from mindstage.prompts.inputs import CastMember, LoreEntry, PastTurn
from mindstage.prompts.lore import MOST_KEYS, called_up
from mindstage.prompts.macros import MOST_IN_ALL, MacroContext, expand

SECONDS = 20.0
"""Generous for two slow cores; before the bounds these took from minutes to hours."""


def context(description: str) -> MacroContext:
    member = CastMember(name="Ada", description=description)
    return MacroContext(persona="Mira", cast=(member,), seed="s:1", now=datetime(2026, 1, 1, tzinfo=UTC))


def as_it_is(text: str) -> str:
    return text


def test_many_keys_that_lie_inside_words_are_looked_up_quickly() -> None:
    """A book of one-letter keys over a turn of one letter costs a look-up each, not a walk through the text."""
    turns = [PastTurn(number, "story", "", "a" * 16_000) for number in range(4)]
    lore = [LoreEntry(name="x", keys=("a",) * 1_000, content="y") for _ in range(40)]
    began = time.monotonic()
    assert called_up(lore, turns, depth=4, expand=as_it_is) == []
    assert time.monotonic() - began < SECONDS


def test_many_keys_with_signs_are_looked_up_quickly() -> None:
    """The same for keys that are no plain words: each is looked for once, and not in every place."""
    turns = [PastTurn(number, "story", "", "a-" * 8_000 + "a") for number in range(4)]
    lore = [LoreEntry(name="x", keys=tuple("-a" * size + "-" for size in range(200)) * 5, content="y")] * 40
    began = time.monotonic()
    assert called_up(lore, turns, depth=4, expand=as_it_is) == []
    assert time.monotonic() - began < SECONDS


def test_keys_past_the_bound_call_nothing_up() -> None:
    """A book has so many keys and no more; those before still work."""
    turns = [PastTurn(0, "story", "", "the harbour")]
    idle = [LoreEntry(name="x", keys=("nowhere",) * 1_000, content="y")] * (MOST_KEYS // 1_000 - 1)
    lore = [*idle, LoreEntry(name="early", keys=("harbour",), content="e"), *idle[:2]]
    late = LoreEntry(name="late", keys=("harbour",), content="l")
    assert [one.entry.name for one in called_up([*lore, late], turns, depth=4, expand=as_it_is)] == ["early"]


def test_whole_words_are_still_whole_words() -> None:
    """Words are cut as before: letters of any alphabet, digits and underscores hold together."""
    turns = [PastTurn(0, "story", "", "Ælf-Ring, naïve_one; l'été D'Arc 42nd")]

    def called(key: str, *, case_sensitive: bool = False) -> bool:
        entry = LoreEntry(name="x", keys=(key,), content="y", case_sensitive=case_sensitive)
        return bool(called_up([entry], turns, depth=4, expand=as_it_is))

    assert all(called(key) for key in ("ælf", "RING", "été", "d'arc", "naïve_one", "ælf-ring"))
    assert not any(called(key) for key in ("naïve", "one", "arc'", "42", "lf", "rin", "ælf-rin"))
    assert called("Ring", case_sensitive=True)
    assert not called("ring", case_sensitive=True)


def test_a_description_named_by_every_entry_is_expanded_once() -> None:
    """Five thousand entries that name a long description cost one expansion of it, and end at a bound."""
    shared = context("{{char}}" * 12_000)
    began = time.monotonic()
    texts = [expand("{{description}}{{description}}", shared) for _ in range(5_000)]
    assert sum(map(len, texts)) <= MOST_IN_ALL
    assert texts[0] == "Ada" * 24_000
    assert time.monotonic() - began < SECONDS


def test_each_prompt_has_the_whole_allowance() -> None:
    """The bound is of one context: what one card used up is not missing in the next prompt."""
    used_up = context("x" * 100_000)
    for _ in range(20):
        expand("{{description}}", used_up)
    assert expand("{{char}}", used_up) == ""
    assert expand("{{char}}", context("x")) == "Ada"
