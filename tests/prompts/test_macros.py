"""Macros of cards and lore."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.prompts import macros
from mindstage.prompts.inputs import CastMember
from mindstage.prompts.macros import expand
from prompts import worlds

ALONE = macros.context_of(worlds.inputs(cast=(worlds.ILSE,)), original="the old text")
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
        ("{{foo}} {{char::x}} {{getvar::n}} {{}} {{ }}", "{{foo}} {{char::x}} {{getvar::n}} {{}} {{ }}"),
        ("{{foo {{char}}}}", "{{foo Ilse}}"),
        ("}} {{", "}} {{"),
        ("<b>char</b>", "<b>char</b>"),
    ],
)
def test_each_macro_has_its_value(text: str, value: str) -> None:
    """Every macro we know gives what the formats say; every other text stays."""
    assert expand(text, ALONE) == value


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
    st.sampled_from(["foo", "if x", "outlet::n", "char::x"]),
)
def test_unknown_macros_stay(around: str, name: str) -> None:
    """What we do not know stays in the text, byte for byte."""
    text = f"{around}{{{{{name}}}}}{around}"
    assert expand(text, ALONE) == text


@pytest.mark.parametrize(
    "text",
    ["{" * 100_000, "{{reverse:" * 10_000, "{{" * 50_000 + "}}" * 50_000, "{{trim}}\n" * 11_000, "\\{" * 50_000,
     "a{{trim}}" * 11_000, "{{reverse:" * 5_000 + "a" * 40_000 + "}}" * 5_000, "{{roll:100d6}}" * 7_000],
)  # fmt: skip
def test_the_work_grows_with_the_text(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The letters that are joined for all macros' insides stay within the deepest nesting times the text."""
    joined = 0
    value_of, hashed = macros._Expansion.value_of, macros._bytes

    def counting(self: macros._Expansion, inside: str) -> str | None:
        nonlocal joined
        joined += len(inside) + 10
        return value_of(self, inside)

    def hashing(text: str) -> bytes:
        nonlocal joined
        joined += len(text)
        return hashed(text)

    monkeypatch.setattr(macros._Expansion, "value_of", counting)
    monkeypatch.setattr(macros, "_bytes", hashing)
    assert len(expand(text, ALONE)) <= len(text) + macros.MOST_INSERTED
    assert joined <= (macros.DEEPEST + 10) * len(text)


def test_a_small_text_cannot_grow_without_end() -> None:
    """Fields named many times over are put in only up to a bound."""
    card = CastMember(name="Big", description="x" * 50_000)
    text = expand("{{description}}" * 5_000, macros.context_of(worlds.inputs(cast=(card,))))
    assert len(text) <= macros.MOST_INSERTED
