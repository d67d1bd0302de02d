"""Macros of cards and lore."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.prompts import macro_values, macros
from mindstage.prompts.assemble import assemble
from mindstage.prompts.inputs import Budget, CastMember
from mindstage.prompts.macros import expand, literal
from prompts import worlds

ALONE = dataclasses.replace(macros.context_of(worlds.inputs(cast=(worlds.ILSE,))), original="the old text")
GROUP = macros.context_of(worlds.inputs())
WRITTEN = st.lists(
    st.sampled_from(
        [
            "{{",
            "}}",
            "{",
            "}",
            "char",
            "random:a,b",
            "roll:6",
            "pick::x::y",
            "reverse:",
            "//",
            "::",
            "trim",
            "<USER>",
            "description",
            "\\{\\{",
            "newline::9",
            " ",
            "\n",
            "\ud800",
            "é",
            "foo",
            "original",
            "roll 9d9",
            "if .x",
            "if !char::a",
            "if ",
            "else",
            "/if",
            "setvar::x::",
            "addvar::x::1.5",
            "getvar::x",
            "incvar::x",
            "decglobalvar::x",
            ".x",
            "$x",
            "timeDiff::",
            "2026-11-24",
            "9999-12-31T23:59+23:59",
            "datetimeformat::LLLL [",
            "charFirstMessage::1",
            "idleDuration",
            "banned",
            "outlet::a",
            "maxPrompt",
            "notChar",
        ]
    )
).map("".join)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{char}} <BOT> <CHAR> <bot> {{ CHAR }}", "Ilse Ilse Ilse Ilse Ilse"),
        ("{{user}} <USER> {{User}} {{persona}}", "Mira Mira Mira Mira"),
        ("{{group}}|{{charIfNotGroup}}", "Ilse|Ilse"),
        ("{{personality}}", "Patient, ironic, slow to trust."),
        ("{{scenario}}", "Rain over the moorings. Mira must leave the city before dawn."),
        ("a{{// x}}b{{comment: x}}c{{hidden_key:x}}d{{noop}}e", "abcde"),
        ("{{reverse:abc}}", "cba"),
        ("{{reverse:{{user}}}}", "ariM"),
        ("{{time}} {{isotime}}", "3:04 PM 15:04"),
        ("{{date}} {{isodate}} {{weekday}}", "November 24, 2026 2026-11-24 Tuesday"),
        ("a{{newline}}b{{space}}c{{newline::2}}d", "a\nb c\n\nd"),
        ("a\n\n{{trim}}\n\nb", "ab"),
        ("{{trim}}\nb", "b"),
        ("{{lastMessage}}", "I need passage to Port Ember."),
        ("{{lastUserMessage}}", "I need passage to Port Ember."),
        ("{{lastCharMessage}}", worlds.ANSWER.text),
        ("{{original}}{{original}}", "the old text"),
        ("{{random:a}}{{random::a}}{{random: a , a }}", "aaa"),
        (r"{{random:a\,b}}", "a,b"),
        ("{{roll:x}}{{roll:0}}{{roll:999d6}}{{roll:1d0}}", ""),
        ("{{roll:1d1+4}} {{roll 3d1}} {{roll:d1}} {{roll:1}}", "5 3 1 1"),
        (r"\{\{char\}\}", "{{char}}"),
        ("{{{char}}}", "{Ilse}"),
        ("{{ {{char}}", "{{ Ilse"),
        ("{{foo}} {{char::x}} {{unheard::n}} {{}} {{ }}", "{{foo}} {{char::x}} {{unheard::n}} {{}} {{ }}"),
        ("{{foo {{char}}}}", "{{foo Ilse}}"),
        ("}} {{", "}} {{"),
        ("<b>char</b>", "<b>char</b>"),
    ],
)
def test_each_macro_has_its_value(text: str, value: str) -> None:
    """Every macro we know gives what the formats say; every other text stays."""
    assert expand(text, ALONE) == value


CARD = CastMember(
    name="Ilse",
    version="1.2",
    depth_prompt="{{char}} is tired.",
    greetings=("Hello, {{user}}.", "You again."),
)
NOON = datetime(2026, 11, 24, 12, 5, 9, tzinfo=timezone(timedelta(hours=2)))


def told(text: str, **changes: Any) -> str:
    """A text of Ilse's card, read once."""
    return expand(text, macros.context_of(worlds.inputs(**({"cast": (CARD,), "now": NOON} | changes)), room=900))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{notChar}}", "Mira"),
        ("{{charVersion}} {{charDepthPrompt}}", "1.2 Ilse is tired."),
        ("{{charFirstMessage}} {{charFirstMessage::1}}{{charFirstMessage::7}}", "Hello, Mira. You again."),
        ("{{datetimeformat::YYYY-MM-DD HH:mm:ss}}", "2026-11-24 12:05:09"),
        ("{{datetimeformat::dddd [the] Do [of] MMMM, h:mm a}}", "Tuesday the 24th of November, 12:05 pm"),
        ("{{datetimeformat LLLL}} {{datetimeformat::Z}}", "Tuesday, November 24, 2026 12:05 PM +02:00"),
        ("{{timeDiff::2026-11-24 15:00::2026-11-24 12:00}}", "in 3 hours"),
        ("{{timeDiff::{{isodate}} {{isotime}}::2026-11-26T12:05}}", "2 days ago"),
        ("{{timeDiff::{{date}} {{time}}::November 24, 2026}}", "in 12 hours"),
        ("{{timeDiff::x::2026-01-01}}{{timeDiff::2026-01-01}}", ""),
        ("{{lastMessageId}}{{lastSwipeId}}{{currentSwipeId}}{{summary}}", "3"),
        ("{{input}}", "I need passage to Port Ember."),
        ("{{model}} {{maxPrompt}}", "teller-7b 900"),
        ('{{outlet::Rumours}}{{banned "tapestry"}}', ""),
        ("{{setvar::hp::7}}{{getvar::hp}} {{.hp}} {{ .hp }}", "7 7 7"),
        ("{{getvar::hp}}{{$hp}}", ""),
        ("{{setvar::hp::7}}{{addvar::hp::2.5}}{{.hp}} {{incvar::hp}} {{decvar::hp}}", "9.5 10.5 9.5"),
        ("{{setvar::a::x}}{{addvar::a::y}}{{incvar::b}}{{.a}}{{.b}}", "1xy1"),
        ("{{setglobalvar::a::x}}{{addglobalvar::a::y}}{{$a}}{{getglobalvar::a}}{{.a}}", "xyxy"),
        ("{{incglobalvar::n}}{{decglobalvar n}}", "10"),
        ("{{if char}}yes{{else}}no{{/if}} {{if !char}}yes{{else}}no{{/if}}", "yes no"),
        ("{{if {{description}}}}a{{/if}}{{if description}}b{{/if}}{{if personality}}c{{else}}d{{/if}}", "d"),
        ("{{if 0}}a{{/if}}{{if OFF}}b{{/if}}{{if no}}c{{/if}}{{if false}}d{{/if}}{{if ::1}}e{{/if}}", "e"),
        ("{{setvar::m::on}}{{if .m}}a{{if $m}}b{{else}}c{{/if}}d{{else}}e{{/if}}", "acd"),
        ("{{if 0}}{{setvar::m::1}}{{if 1}}x{{else}}y{{/if}}{{else}}z{{/if}}{{.m}}", "z"),
        ("{{if 1::yes}}{{if 0::no}}", "yes"),
        ("{{reverse:{{if 1}}ab{{/if}}}}", "ba"),
        ("a{{if 1}}\n\nb\n\n{{/if}}c", "abc"),
        ("{{if 1}}open {{char}}", "{{if 1}}open Ilse"),
        ("{{if 0}}open {{char}}{{else}}{{char}}", "{{if 0}}open {{char}}{{else}}Ilse"),
        ("{{/if}}{{else}}{{if 1}}a{{else}}b{{else}}c{{/if}}", "{{/if}}{{else}}a"),
        ("{{CHARVERSION}}{{LastMessageID}}{{IF 1}}a{{Else}}b{{/If}}", "1.23a"),
    ],
)
def test_each_further_macro_has_its_value(text: str, value: str) -> None:
    """Fields, clock, state, variables and blocks, in the forms that the formats list; nested, and in any case."""
    assert told(text, model="teller-7b") == value


def test_not_char_is_everybody_else() -> None:
    """In a group that is the rest of the cast."""
    assert expand("{{notChar}}", GROUP) == "Tuppence"


def test_input_is_what_is_answered() -> None:
    """A reply after a reply answers nobody's words."""
    assert told("{{input}}", turns=(worlds.LETTER, worlds.ANSWER)) == ""


@pytest.mark.parametrize(
    ("ago", "words"),
    [({"seconds": 20}, "a few seconds"), ({"minutes": 1}, "a minute"), ({"minutes": 44}, "44 minutes"),
     ({"hours": 1}, "an hour"), ({"hours": 20}, "20 hours"), ({"days": 1}, "a day"), ({"days": 9}, "9 days"),
     ({"days": 31}, "a month"), ({"days": 200}, "7 months"), ({"days": 400}, "a year"), ({"days": 999}, "3 years")],
)  # fmt: skip
def test_idle_is_since_the_words_before(ago: dict[str, int], words: str) -> None:
    """The words that are being answered do not count: between them and now there is no time."""
    before = dataclasses.replace(worlds.LETTER, written=NOON - timedelta(**ago))
    now = dataclasses.replace(worlds.PASSAGE, written=NOON)
    assert told("{{idleDuration}}", turns=(worlds.OPENING, before, worlds.ANSWER, now)) == words
    assert told("{{idleDuration}}", turns=(now,)) == "just now"


def test_asking_for_the_original_does_not_use_it_up() -> None:
    """`{{if original}}` leaves the text for the one place where it belongs."""
    assert expand("{{if original}}{{original}}{{original}}{{/if}}", ALONE) == "the old text"


def test_variables_reach_the_later_texts_of_a_prompt_and_no_other_prompt() -> None:
    """What a card sets, its lore reads. Building the prompt again begins anew, so it comes out the same."""
    card = dataclasses.replace(worlds.ILSE, system_prompt="{{setvar::mood::grim}}{{incvar::n}}. Narrate.")
    book = (
        dataclasses.replace(worlds.SKY, content="The mood is {{getvar::mood}}."),
        dataclasses.replace(worlds.GUILD, content="{{setvar::mood::gay}}{{incvar::n}} taxes"),
        dataclasses.replace(worlds.EMBER, content="It is {{.mood}} {{incvar::n}}"),
    )
    inputs = worlds.inputs(cast=(card,), lore=book)
    first, again = (assemble(inputs, budget=Budget(4096, 300), count=worlds.words) for _ in range(2))
    assert first == again
    assert first.messages[0].content.startswith("1. Narrate.")
    assert "The mood is grim." in first.messages[0].content
    assert "It is grim 2\n3 taxes" in first.messages[-1].content


def test_in_a_group_the_single_name_is_empty() -> None:
    """`{{charIfNotGroup}}` is for stories with one character, `{{group}}` lists all."""
    assert expand("{{charIfNotGroup}}|{{group}}", GROUP) == "|Ilse, Tuppence"


def test_a_field_may_hold_macros_but_not_itself() -> None:
    """A card's field inside another text is expanded once, and one that names itself comes to an end."""
    card = CastMember(name="Loop", description="{{char}} is {{description}}!")
    assert expand("{{description}}", macros.context_of(worlds.inputs(cast=(card,)))) == "Loop is !"


def test_pick_stays_and_random_changes_from_turn_to_turn() -> None:
    """`pick` depends on story, text and place; `random` also on the turn."""
    many = ",".join(map(str, range(1000)))
    later = dataclasses.replace(ALONE, turns=worlds.story(9))
    other = dataclasses.replace(ALONE, seed="another")
    pick, draw = f"{{{{pick:{many}}}}}", f"{{{{random:{many}}}}}"
    assert expand(pick, ALONE) == expand(pick, later) != expand(pick, other)
    assert expand(draw, ALONE) == expand(draw, ALONE) != expand(draw, later)
    first, second = expand(f"{pick} {pick}", ALONE).split()
    assert first != second


def test_dice_stay_in_their_range() -> None:
    """Two dice of six and three make 5 to 15."""
    rolls = {int(roll) for roll in expand("{{roll:2d6+3}} " * 300, ALONE).split()}
    assert rolls == set(range(5, 16))


def test_what_was_written_in_the_story_is_not_read_for_macros() -> None:
    """A reply that holds a macro is put in as it is, also inside another macro."""
    wrote = (dataclasses.replace(worlds.ANSWER, text="{{char}} {{roll:6}} <USER>"),)
    context = dataclasses.replace(ALONE, turns=wrote)
    assert expand("{{lastMessage}}", context) == "{{char}} {{roll:6}} <USER>"
    assert expand("{{foo {{lastMessage}}}}", context) == "{{foo {{char}} {{roll:6}} <USER>}}"


@given(WRITTEN | st.text())
def test_no_text_breaks_it_and_the_same_text_gives_the_same(text: str) -> None:
    """Expansion never raises and is a function of its inputs."""
    assert expand(text, ALONE) == expand(text, ALONE)


@given(
    st.text(alphabet=st.characters(exclude_characters="{}<\\")),
    st.sampled_from(["foo", "else", "/if", "char::x", "ifx y", ".5", "$"]),
)
def test_unknown_macros_stay(around: str, name: str) -> None:
    """What we do not know stays in the text, byte for byte."""
    text = f"{around}{{{{{name}}}}}{around}"
    assert expand(text, ALONE) == text


@pytest.mark.parametrize(
    "text",
    ["{" * 100_000, "{{reverse:" * 10_000, "{{" * 50_000 + "}}" * 50_000, "{{trim}}\n" * 11_000, "\\{" * 50_000,
     "{{if x}}" * 12_000, "{{if x}}{{else}}" * 6_000 + "{{/if}}" * 6_000, "{{/if}}{{else}}" * 7_000,
     "{{if 0}}" * 6_000 + "}}" * 9_000, "{{datetimeformat::" + "[" * 90_000 + "}}", "{{.a b" * 9_000 + "}}" * 9_000,
     "{{timeDiff::2026-11-24::November 24, 2026}}" * 2_000, "{{if description}}x{{/if}}" * 4_000,
     "{{addvar::a::xxxxxxxxxxxxxxxx}}" * 4_000, "{{setvar::a::x}}" + "{{addvar::a::{{.a}}{{.a}}}}" * 4_000,
     "a{{trim}}" * 11_000, "{{reverse:" * 5_000 + "a" * 40_000 + "}}" * 5_000, "{{roll:100d6}}" * 7_000],
)  # fmt: skip
def test_the_work_grows_with_the_text(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The letters that are joined for all macros' insides stay within the deepest nesting times the text."""
    joined = 0
    read_word, hashed = macros._Expansion.read_word, macro_values._bytes

    def counting(self: macros._Expansion, inside: str) -> bool:
        nonlocal joined
        joined += len(inside) + 10
        return read_word(self, inside)

    def hashing(text: str) -> bytes:
        nonlocal joined
        joined += len(text)
        return hashed(text)

    monkeypatch.setattr(macros._Expansion, "read_word", counting)
    monkeypatch.setattr(macro_values, "_bytes", hashing)
    assert len(expand(text, ALONE)) <= len(text) + macros.MOST_INSERTED
    assert joined <= (macros.DEEPEST + 10) * len(text)


def test_a_variable_cannot_grow_without_end() -> None:
    """Doubling one over and over ends at the bound of all that macros put in."""
    context = macros.context_of(worlds.inputs())
    for _ in range(50):
        expand("{{setvar::a::xx{{.a}}{{.a}}}}" * 50, context)
    assert sum(map(len, context.shared.variables.values())) <= macros.MOST_INSERTED


SIGNS = ("{", "}", "\\", "<", "user>", "BOT>", "user", "noop", "if x", "/if", "trim", "\n", "a")
TRICKY = st.lists(st.sampled_from(SIGNS))


@given(TRICKY.map("".join))
def test_a_text_that_is_no_authors_can_be_kept_as_one(text: str) -> None:
    """Written so that reading it for macros gives the very same text: once, whatever stands around it."""
    context = macros.context_of(worlds.inputs())
    assert expand(literal(text), context) == text
    assert expand(f"{literal(text)}{{{{user}}}}{literal(text)}", context) == f"{text}{context.persona}{text}"


def test_names_in_one_step_are_what_they_are_step_by_step() -> None:
    """`{{char}}` and `{{user}}` are read whole because most macros are these; it must never show."""
    whole = macros.TOKEN
    by_steps = re.compile(whole.pattern.removeprefix(r"\{\{(?:char|user)\}\}|"), re.IGNORECASE)
    assert whole.fullmatch("{{char}}")
    assert not by_steps.fullmatch("{{char}}")

    @given(st.lists(st.sampled_from((*SIGNS, "{{user}}", "{{Char}}", "{{", "}}", "{" * 2 * macros.DEEPEST))))
    def agree(pieces: list[str]) -> None:
        text, told = "".join(pieces), []
        for tokens in (whole, by_steps):
            macros.TOKEN = tokens
            told.append(expand(text, macros.context_of(worlds.inputs())))
        assert told[0] == told[1]

    try:
        agree()
    finally:
        macros.TOKEN = whole


def test_plain_words_are_kept_as_they_are() -> None:
    assert literal("Come in, {stranger} <3\n") == "Come in, {stranger} <3\n"
    assert literal("{{user}}") == r"\{\{user}}"


@given(WRITTEN)
def test_what_comes_out_is_bounded(text: str) -> None:
    """No card makes more text than its own length and the bound of all insertions."""
    assert len(expand(text, ALONE)) <= len(text) + macros.MOST_INSERTED


def test_a_small_text_cannot_grow_without_end() -> None:
    """Fields named many times over are put in only up to a bound."""
    card = CastMember(name="Big", description="x" * 50_000)
    text = expand("{{description}}" * 5_000, macros.context_of(worlds.inputs(cast=(card,))))
    assert len(text) <= macros.MOST_INSERTED


def test_the_manual_names_every_macro() -> None:
    """docs/subsystems/prompts.md has each macro in its table, and none that does not exist."""
    manual = Path(__file__).parents[2].joinpath("docs/subsystems/prompts.md").read_text()
    written = {name.lower() for name in re.findall(r"\{\{(//|[a-z_]+)", manual, re.IGNORECASE)}
    known = set(macro_values.PLAIN) | set(macro_values.TAKING) | macro_values.REMOVED | {"else", "trim"}
    assert written == known
