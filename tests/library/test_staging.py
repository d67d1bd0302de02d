"""What a story is begun with."""

from __future__ import annotations

import pytest

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.cards import read_card
from mindstage.library.cards.lore import read_lore
from mindstage.library.characters import import_character
from mindstage.library.staging import parts_of_card, stage_parts_of_card, stage_parts_of_starter, to_lore
from mindstage.library.starters import starters
from mindstage.prompts.inputs import LoreEntry
from people import make_person

SOURCE = "character:1"


def parts(**changes: object):  # type: ignore[no-untyped-def]
    return parts_of_card(read_card(make.to_json(make.v3(**changes))), "Nora", source=SOURCE)


def test_a_card_on_the_stage() -> None:
    """Every field of a card that a narrator may know, and the openings in order."""
    found = parts()
    (member,) = found.cast
    assert (found.title, found.byline, found.premise) == ("Hedda Quill", "somebody", "A bridge in rain.")
    assert (member.name, member.nickname, member.personality) == ("Hedda Quill", "Hedda", "Dry, exact.")
    assert member.description == "{{char}} keeps the toll gate."  # the prompt expands it
    assert member.system_prompt == "{{original}} Keep it short."
    assert (member.version, member.greetings[1]) == (make.v3()["data"]["character_version"], "“You again.”")
    assert found.greetings == ("“Two coins, or a reason.”", "“You again.”", "She lifts the bar.")
    assert found.roles == (("Hedda Quill", "For rainy evenings."),)
    (entry,) = found.lore
    assert (entry.keys, entry.secondary_keys, entry.selective, entry.order) == (("toll", "coin"), ("flood",), True, 20)
    assert "Hedda" not in repr(found)


@pytest.mark.parametrize("note", [None, "tired", {"prompt": 7}, {}, {"prompt": "{{char}} is tired.", "depth": 4}])
def test_a_note_for_the_depth_is_text_or_nothing(note: object) -> None:
    """Extensions are anybody's: whatever else lies under the name is no note."""
    prompt = note.get("prompt") if isinstance(note, dict) else ""
    (member,) = parts(extensions={"depth_prompt": note}).cast
    assert member.depth_prompt == (prompt if isinstance(prompt, str) else "")


def test_lore_that_looks_for_patterns_stays_out() -> None:
    """Keys that are patterns are not matched as words."""
    entry = {"keys": ["/to(ll|ld)/i"], "content": "x", "extensions": {}, "enabled": True, "insertion_order": 1}
    assert parts(character_book={"extensions": {}, "entries": [entry, {**entry, "keys": ["told"]}]}).lore[0].keys == (
        "told",
    )


def test_openings_are_expanded_and_repeatable() -> None:
    """Names are put in, and the same source draws the same lots on the page and in the story."""
    wild = "{{char}}, {{user}}: {{random:" + ",".join(map(str, range(500))) + "}}"
    (first, *_), (again, *_) = parts(first_mes=wild).greetings, parts(first_mes=wild).greetings
    assert first == again
    assert first.startswith("Hedda, Nora: ")


@pytest.mark.parametrize(
    ("scenario", "opening"),
    [("{{user}} waits.", "Nora waits."), ("", "Hedda is here."), ("long " * 400, "Hedda is here.")],
)
def test_there_is_always_an_opening(scenario: str, opening: str) -> None:
    """Without a greeting, or with one that comes to nothing, the story still opens; numbers do not shift."""
    assert parts(first_mes="", alternate_greetings=[], scenario=scenario).greetings == (opening,)
    assert parts(first_mes="{{// nothing }}", alternate_greetings=["B"], scenario=scenario).greetings == (opening, "B")


@pytest.mark.parametrize("starter", starters(), ids=lambda starter: starter.slug)
def test_a_starter_on_the_stage(starter) -> None:  # type: ignore[no-untyped-def]
    """The page's lines are the roles; descriptions and lore go to the narrator; no macro is left in an opening."""
    found = stage_parts_of_starter(starter, "Nora")
    assert found.source == f"starter:{starter.slug}"
    assert found.roles == tuple((member.name, member.role) for member in starter.cast)
    assert [member.description for member in found.cast] == [member.description for member in starter.cast]
    assert (len(found.lore), len(found.greetings)) == (len(starter.lore), len(starter.openings))
    assert not any("{{" in greeting for greeting in found.greetings)


@pytest.mark.django_db(databases=["default", "keystore"])
def test_a_character_on_the_stage(vault: None) -> None:
    """A kept card gives the same parts as one that was just read."""
    owner: User = make_person()
    character = import_character(owner=owner.pk, data=make.to_json(make.v3()))
    found = stage_parts_of_card(character, "Nora")
    assert found.source == f"character:{character.pk}"
    assert (found.cast, found.lore, found.greetings) == (parts().cast, parts().lore, parts().greetings)


def test_every_flag_of_a_lore_entry_goes_onto_the_stage() -> None:
    """Each one turned away from what it is by itself: an entry that was switched off stays so in every story."""
    told = {"name": "Lamp", "keys": ["lamp"], "content": "It burns.", "secondary_keys": ["oil"], "selective": True,
            "constant": True, "case_sensitive": True, "enabled": False, "insertion_order": 7}  # fmt: skip
    (entry,) = to_lore(read_lore({"entries": [told]}, []))
    assert entry == LoreEntry(
        name="Lamp", keys=("lamp",), content="It burns.", secondary_keys=("oil",), selective=True, constant=True,
        case_sensitive=True, enabled=False, order=7,
    )  # fmt: skip
