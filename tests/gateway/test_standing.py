"""No word that was read beside a text which is gone stays in the memory of a model on this machine."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindstage.gateway.embedded.standing import Keep, Sources, Standing


class BrokenOff(Exception):
    """The request was cancelled."""


@dataclass
class Model:
    """A prompt cache as llama.cpp keeps one: words in their order, each with all that it was read beside."""

    held: list[tuple[str, set[str]]] = field(default_factory=list)

    def read(self, prompt: list[str], keep: Keep) -> None:
        kept: list[tuple[str, set[str]]] = []
        old = [] if keep is Keep.NOTHING else list(self.held)
        while old and len(kept) < len(prompt) and old[0][0] == prompt[len(kept)]:
            kept.append(old.pop(0))
        if keep is Keep.MOVED:
            for word, beside in old:
                if len(kept) < len(prompt) and word == prompt[len(kept)]:
                    kept.append((word, beside))
        for word in prompt[len(kept) :]:
            beside = set().union({word}, *(beside for _, beside in kept))
            kept.append((word, beside))
        self.held = kept


@dataclass
class Story:
    """Turns by number, and a stage: its premise is always told, its lore now and then, before the newest line."""

    turns: list[int] = field(default_factory=lambda: [0])
    made: int = 0
    lore: int = 0

    def prompt(self, told: int, note: bool) -> tuple[list[str], Sources]:
        turns = self.turns[-told:]
        lore = [f"lore {self.lore}"] if note else []
        words = ["premise", *(f"turn {turn}" for turn in turns[:-1]), *lore, f"turn {turns[-1]}"]
        return words, Sources(b"stage %d" % self.lore, named(turns), named(self.turns[-2 * told :]))

    def stands(self) -> set[str]:
        return {"premise", f"lore {self.lore}", *(f"turn {turn}" for turn in self.turns)}

    def write(self) -> None:
        self.made += 1
        self.turns.append(self.made)

    def change(self, act: str, at: int) -> None:
        if act == "delete" and len(self.turns) > 1:
            self.turns.pop(at % len(self.turns))
        elif act == "replace":
            self.turns.pop()
        elif act == "correct":
            self.lore += 1


def named(turns: list[int]) -> frozenset[UUID]:
    return frozenset(UUID(int=turn) for turn in turns)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["go on", "go on", "go on", "delete", "replace", "correct"]),
            st.integers(0, 30),
            st.integers(2, 6),
            st.booleans(),
            st.sampled_from(["whole", "whole", "never begun", "broken off"]),
        ),
        min_size=5,
        max_size=40,
    )
)
@settings(max_examples=400)
def test_nothing_stays_that_was_read_beside_what_is_gone(acts: list[tuple[str, int, int, bool, str]]) -> None:
    """Whatever is deleted, replaced or corrected in between, and however requests end."""
    story, model, standing = Story(), Model(), Standing()
    for act, at, told, note, end in acts:
        story.change(act, at)
        story.write()
        prompt, sources = story.prompt(told, note)
        with suppress(BrokenOff), standing.reading(sources) as keep:
            if end != "never begun":
                model.read(prompt, keep)
                assert set().union(*(beside for _, beside in model.held)) <= story.stands()
            if end != "whole":
                raise BrokenOff


def test_what_moved_is_kept_while_all_stands() -> None:
    """Lines are added, lore comes and goes, old turns leave: all is read anew only when what left is out of reach."""
    story, standing, kept = Story(), Standing(), []
    for number in range(40):
        story.write()
        with standing.reading(story.prompt(4, bool(number % 2))[1]) as keep:
            kept.append(keep)
    assert kept.count(Keep.MOVED) >= 32
    assert Keep.BEGINNING not in kept


def test_a_line_that_was_tried_again_costs_its_own_words_only() -> None:
    """The beginning up to a reply that was replaced stays."""
    story, standing = Story(), Standing()
    for act in ("go on", "go on", "replace"):
        story.change(act, 0)
        story.write()
        with standing.reading(story.prompt(4, False)[1]) as keep:
            assert keep is (Keep.BEGINNING if act == "replace" else Keep.MOVED)


@pytest.mark.parametrize("last", [None, Sources(b"s", named([1]), named([1]))], ids=["unknown", "another"])
def test_a_prompt_of_unknown_texts_is_a_stranger(last: Sources | None) -> None:
    """Nothing that was read beside it moves into a later one, nor the other way round."""
    standing = Standing()
    with standing.reading(None):
        pass
    with standing.reading(last) as keep:
        assert keep is Keep.BEGINNING
