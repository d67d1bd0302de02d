"""Whole prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.prompts import history
from mindstage.prompts.assemble import assemble
from mindstage.prompts.dialects import CHAT, DIALECTS, SMALL, STORY_1_5B, dialect_named
from mindstage.prompts.inputs import (
    Budget,
    CastMember,
    Dialect,
    LoreEntry,
    Message,
    Overheads,
    PastTurn,
    Prompt,
    PromptInputs,
    Role,
)
from mindstage.prompts.tokens import conservative
from prompts import worlds

WIDE = Budget(context=4000, reply=400)
TIGHT = Budget(context=1200, reply=200)
COUNTERS: dict[str, Callable[[str], int]] = {"words": worlds.words, "letters": len, "conservative": conservative}
TEXT = st.lists(
    st.sampled_from(["Ash ", "{{char}} ", "guild. ", "\n\n", "é", "word " * 40, "x" * 70, "“So.” "]), max_size=12
).map("".join)


@st.composite
def stories(draw: st.DrawFn) -> PromptInputs:
    """Any story: cards of any size, kinds in any order."""
    member = st.builds(
        CastMember,
        name=st.sampled_from(["Ilse", "Tuppence", ""]),
        description=TEXT,
        scenario=TEXT,
        example_dialogue=TEXT.map(lambda text: f"<START>\n{text}"),
        system_prompt=st.one_of(st.just(""), TEXT),
        post_history_instructions=st.one_of(st.just(""), TEXT),
    )
    entry = st.builds(
        LoreEntry,
        name=st.just("it"),
        keys=st.just(("ash", "guild")),
        content=TEXT,
        constant=st.booleans(),
        order=st.integers(0, 9),
    )
    kinds = draw(st.lists(st.sampled_from(["do", "say", "story", "ooc", "reply", "opening"]), max_size=30))
    first = draw(st.sampled_from([0, 3, 41]))
    turns = tuple(PastTurn(first + at, kind, "x", draw(TEXT)) for at, kind in enumerate(kinds))
    return worlds.inputs(
        premise=draw(TEXT),
        cast=tuple(draw(st.lists(member, max_size=3))),
        lore=tuple(draw(st.lists(entry, max_size=4))),
        turns=turns,
        turns_before=first,
        dialect=draw(st.sampled_from(list(DIALECTS.values()))),
        continue_from=draw(st.one_of(st.just(""), TEXT)),
    )


def texts(prompt: Prompt) -> str:
    return "\n".join(message.content for message in prompt.messages)


def cost(prompt: Prompt, count: Callable[[str], int], overhead: int = 4) -> int:
    return sum(count(message.content) + overhead for message in prompt.messages)


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_parts_stand_in_their_order(dialect: Dialect) -> None:
    """Instructions, scenario, cast, constant lore, examples, history, keyed lore, the newest words."""
    prompt = assemble(worlds.inputs(dialect=dialect), budget=WIDE, count=worlds.words)
    whole = texts(prompt)
    marks = [
        "Ilse and Tuppence",
        "Rain over",
        "eleven pockets",
        "grey parrot",
        "seen the ground",
        "Is it safe",
        "mooring rope",
        "I lay a sealed",
        "Guild's wax",
        "burns all night",
        "taxes every crate",
        '"I need passage to Port Ember."',
    ]
    places = [whole.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "{{" not in whole
    assert prompt.lore_fired == (("The sky", ""), ("Port Ember", "Ember"), ("The Guild", "guild"))
    assert (prompt.first_position, prompt.dropped, prompt.prefill, prompt.notes) == (0, 0, "", ())


def test_a_card_replaces_the_instructions() -> None:
    """`system_prompt` stands in place of ours, `{{original}}` brings ours back; the closing ones stand last."""
    card = CastMember(name="Ilse", system_prompt="Be brief, {{char}}.", post_history_instructions="Rhyme.")
    prompt = assemble(worlds.inputs(cast=(card,), lore=()), budget=WIDE, count=worlds.words)
    assert prompt.messages[0].content.startswith("Be brief, Ilse.\n\n# Scenario")
    assert prompt.messages[-1].content.endswith("[Rhyme.]")
    card = replace(card, system_prompt="Be brief. {{original}}")
    prompt = assemble(worlds.inputs(cast=(card, card), lore=()), budget=WIDE, count=worlds.words)
    assert prompt.messages[0].content.count("You narrate an interactive story") == 1


def test_a_small_model_sees_no_brackets() -> None:
    """It would answer in brackets: lore and closing instructions are plain sentences."""
    card = CastMember(name="Ilse", post_history_instructions="Rhyme.")
    prompt = assemble(worlds.inputs(cast=(card,), dialect=SMALL), budget=WIDE, count=worlds.words)
    newest = prompt.messages[-1].content.split("\n\n")
    assert newest[0].startswith("Remember: Port Ember burns")
    assert newest[1:] == ['Mira: "I need passage to Port Ember."', "Rhyme."]


def test_small_models_get_short_cards() -> None:
    """At most sixty words a member, ended at a sentence."""
    card = CastMember(name="Ilse", description="Ilse has a coat with many pockets in it. " * 30)
    prompt = assemble(worlds.inputs(cast=(card,), dialect=SMALL), budget=WIDE, count=worlds.words)
    cast = next(part for part in prompt.parts if part.id == "cast")
    assert cast.tokens == 54


def test_continuing_a_reply() -> None:
    """A small model goes on inside its reply; a chat model is asked to."""
    for dialect in (SMALL, STORY_1_5B):
        prompt = assemble(
            worlds.inputs(dialect=dialect, continue_from="She nods and "), budget=WIDE, count=worlds.words
        )
        assert prompt.messages[-1].role is Role.NARRATOR
        assert prompt.prefill == prompt.messages[-1].content == "She nods and"
    prompt = assemble(worlds.inputs(dialect=CHAT, continue_from="She nods and"), budget=WIDE, count=worlds.words)
    assert [message.content for message in prompt.messages[-2:]] == ["She nods and", history.RESUME]
    assert prompt.prefill == ""


def test_going_on_without_a_word_of_the_person() -> None:
    """When a reply is the newest turn, or none is there yet, the narrator is asked to go on or to begin."""
    prompt = assemble(worlds.inputs(turns=(worlds.OPENING,), lore=()), budget=WIDE, count=worlds.words)
    assert [message.content for message in prompt.messages[1:]] == [history.TELL, worlds.OPENING.text, history.GO_ON]
    prompt = assemble(worlds.inputs(turns=(), lore=()), budget=WIDE, count=worlds.words)
    assert [message.content for message in prompt.messages[1:]] == [history.TELL]


def test_examples_yield_first() -> None:
    """They are there while the whole history fits beside them, and leave before any turn does."""

    def shown(length: int) -> tuple[bool, int]:
        prompt = assemble(worlds.inputs(turns=worlds.story(length)), budget=TIGHT, count=worlds.words)
        return "Is it safe?" in texts(prompt), prompt.dropped

    seen = [shown(length) for length in range(1, 60)]
    assert seen[0] == (True, 0)
    assert seen == sorted(seen, key=lambda one: (not one[0], one[1]))
    assert (False, 0) in seen


def test_old_turns_drop_in_blocks_and_are_counted() -> None:
    """The start is a multiple of eight; `dropped` counts what is older, also what was never loaded."""
    turns = worlds.story(60, words_a_turn=30, first=101)
    prompt = assemble(worlds.inputs(turns=turns, turns_before=101), budget=TIGHT, count=worlds.words)
    assert prompt.first_position % history.BLOCK == 0
    assert prompt.dropped == prompt.first_position > 101
    assert f"turn {prompt.first_position} " in texts(prompt)
    assert f"turn {prompt.first_position - 1} " not in texts(prompt)


def test_a_huge_last_turn_is_cut_at_the_front() -> None:
    """The newest words are always there."""
    huge = PastTurn(1, "do", "Mira", "first " + "word " * 9000 + "last")
    prompt = assemble(worlds.inputs(turns=(worlds.OPENING, huge)), budget=TIGHT, count=worlds.words)
    assert prompt.messages[-1].content.endswith("word last")
    assert "…" in prompt.messages[-1].content
    assert cost(prompt, worlds.words) <= TIGHT.room


def test_what_was_cut_is_said() -> None:
    """A cast too big for the context is shortened evenly, at sentence ends, and the notes say so."""
    cards = tuple(
        CastMember(name=name, description=f"{name} is here. " * 900, example_dialogue="hi") for name in ("Ada", "Bo")
    )
    prompt = assemble(worlds.inputs(cast=cards, lore=()), budget=TIGHT, count=worlds.words)
    assert [note.split()[:2] for note in prompt.notes] == [["Example", "dialogue"], ["The", "descriptions"]]
    system = prompt.messages[0].content
    assert abs(system.count("Ada is here.") - system.count("Bo is here.")) < 5
    assert system.endswith("Bo is here.")
    assert worlds.PASSAGE.text in texts(prompt)


def test_keyed_lore_keeps_to_its_share() -> None:
    """At most a quarter of the context, whatever fires."""
    book = tuple(LoreEntry(name=str(at), keys=("ember",), content="word " * 90, order=at) for at in range(20))
    prompt = assemble(worlds.inputs(lore=book), budget=TIGHT, count=worlds.words)
    assert [name for name, _ in prompt.lore_fired] == ["17", "18", "19"]
    assert next(part.tokens for part in prompt.parts if part.id == "lore") <= 300
    assert prompt.notes


def test_a_context_too_small_still_gets_the_newest_words() -> None:
    """Letters as tokens: nothing fits but the end of what the person said."""
    prompt = assemble(worlds.inputs(), budget=Budget(context=70, reply=0), count=len)
    assert prompt.messages[-1].content.endswith('Ember."')
    assert cost(prompt, len) <= 70


def test_at_most_four_stop_texts() -> None:
    """Some servers refuse more."""
    for dialect in DIALECTS.values():
        stop = assemble(worlds.inputs(dialect=dialect), budget=WIDE, count=worlds.words).stop
        assert "\nMira:" in stop
        assert len(stop) <= 4
    assert dialect_named("unheard of") is CHAT


@given(
    stories(),
    st.sampled_from(sorted(COUNTERS)),
    st.sampled_from([Budget(100, 30), Budget(700, 100), TIGHT, WIDE]),
    st.sampled_from([0, 4]),
)
def test_never_over_budget_and_the_meter_adds_up(
    inputs: PromptInputs, counter: str, budget: Budget, overhead: int
) -> None:
    """Whatever the story, the messages fit beside the reply, roles alternate and the parts sum to the context."""
    count = COUNTERS[counter]
    prompt = assemble(inputs, budget=budget, count=count, overheads=Overheads(overhead, overhead, overhead))
    assert cost(prompt, count, overhead) <= budget.room
    assert sum(part.tokens for part in prompt.parts) == budget.context
    assert min(part.tokens for part in prompt.parts) >= 0
    assert prompt.parts[-1].tokens == budget.context - cost(prompt, count, overhead) >= budget.reply
    roles = [message.role for message in prompt.messages if message.role is not Role.SYSTEM]
    assert roles[0] is Role.PERSON
    assert all(one is not other for one, other in pairwise(roles))
    assert prompt == assemble(inputs, budget=budget, count=count, overheads=Overheads(overhead, overhead, overhead))
    unweighed = assemble(
        inputs, budget=budget, count=count, overheads=Overheads(overhead, overhead, overhead), weighed=False
    )
    assert replace(unweighed, parts=prompt.parts) == prompt


@given(stories(), st.text(alphabet="{}charuser:<>\\6 ", max_size=30))
def test_what_was_written_in_the_story_is_never_expanded(inputs: PromptInputs, text: str) -> None:
    """A turn of the person and one of a model reach the messages byte for byte."""
    wrote = f"<USER> {{{{char}}}} {{{{roll:6}}}} {text} {{{{user}}}}."
    turns = (PastTurn(0, "opening", "x", wrote), PastTurn(1, "story", "x", wrote))
    prompt = assemble(
        replace(inputs, turns=turns, continue_from="", turns_before=0), budget=Budget(90_000, 100), count=worlds.words
    )
    assert texts(prompt).count(wrote) == 2


@given(st.lists(st.integers(3, 60), min_size=2, max_size=60), st.sampled_from(list(DIALECTS.values())))
def test_the_next_prompt_begins_like_this_one(lengths: list[int], dialect: Dialect) -> None:
    """What a prompt calls stable comes back first in the next one, until examples leave or a block drops."""
    turns = tuple(
        PastTurn(at, "do" if at % 2 else "reply", "x", f"{at} guild " + "word " * length)
        for at, length in enumerate(lengths)
    )
    prompts = [
        assemble(worlds.inputs(turns=turns[:length], dialect=dialect), budget=TIGHT, count=worlds.words)
        for length in range(1, len(turns) + 1)
    ]
    for one, following in pairwise(prompts):
        changed = one.dropped != following.dropped or one.messages[0] != following.messages[0]
        assert changed or following.messages[: one.stable] == one.messages[: one.stable]
        assert one.dropped <= following.dropped
    assert len({prompt.messages[0] for prompt in prompts}) <= 2


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_turns_that_leave_take_nothing_else_with_them(dialect: Dialect) -> None:
    """The next prompt begins with this one's stable messages less those turns, so a narrator reads only new words."""
    turns = worlds.story(80)
    one = assemble(worlds.inputs(turns=turns[:10], dialect=dialect), budget=TIGHT, count=worlds.words)
    for length in range(12, 80, 2):
        following = assemble(worlds.inputs(turns=turns[:length], dialect=dialect), budget=TIGHT, count=worlds.words)
        left = following.dropped - one.dropped
        changed = one.messages[0] != following.messages[0]  # once, when the examples leave
        assert changed or _kept(one.messages[: one.stable], following.messages) >= one.stable - left
        one = following
    assert one.dropped > 16


def _kept(before: Sequence[Message], after: Sequence[Message]) -> int:
    """With how many messages of `before`, in their order, `after` begins: these a server need not read again."""
    old = iter(before)
    return len(list(takewhile(lambda message: message in old, after)))


def test_sixty_turns_are_counted_once_each() -> None:
    """No text is counted twice within one prompt."""
    asked: list[str] = []

    def count(text: str) -> int:
        asked.append(text)
        return worlds.words(text)

    assemble(worlds.inputs(turns=worlds.story(60)), budget=WIDE, count=count)
    assert len(asked) == len(set(asked)) < 60 + 40
