"""Begin a story: from every scenario and opening, under a name of one's own, sealed from the first row on."""

from __future__ import annotations

import sqlite3

import pytest
from django.db import connections
from django.urls import reverse

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.characters import import_character
from mindstage.library.staging import stage_parts_of_starter
from mindstage.library.starters import starters
from mindstage.prompts.inputs import CastMember, LoreEntry
from mindstage.stories import reading
from mindstage.stories.beginnings import begin_story, check_persona
from mindstage.stories.models import Segment, Story, Turn
from mindstage.stories.refusals import Refused
from mindstage.stories.stage import Role, Stage
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose
from people import signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.mark.parametrize("scenario", [starter.slug for starter in starters()])
def test_every_scenario_and_opening(scenario: str, ada: User) -> None:
    """Each opening of each scenario begins a story: one root segment, one opening, macros expanded."""
    found = next(starter for starter in starters() if starter.slug == scenario)
    parts = stage_parts_of_starter(found, "Ada")
    for greeting, text in enumerate(parts.greetings):
        story = begin_story(owner=ada.pk, parts=parts, greeting=greeting, persona="Ada")
        turn = Turn.objects.get(story=story)
        assert (turn.kind, turn.position, turn.state, turn.segment_id) == ("opening", 0, "finished", story.head_id)
        assert turn.open("text", Purpose.SHOW) == text
        assert "{{" not in text
        stage = reading.open_stage(story)
        assert (stage.persona, stage.source) == ("Ada", f"starter:{scenario}")
        assert Segment.objects.get(story=story).parent_id is None


def test_the_other_greetings_of_a_card_stay_an_arrow_away(ada: User) -> None:
    """V2: alternate greetings are swipes of the first message. None of them counts as edited."""
    card = import_character(owner=ada.pk, data=make.to_json(make.v2(first_mes="Two coins, {{user}}.")))
    client = signed_in_client(ada)
    client.post("/stories/", {"character": str(card.pk), "greeting": "1", "persona": "Ada"})
    story = Story.objects.get()
    (opening,) = reading.read_stretch(story, reading.open_stage(story)).turns
    assert (opening.text, opening.variant_number, opening.variant_count) == ("“You again.”", 2, 3)
    assert not opening.edited
    first, last = opening.variant_ids
    for version, words, number in ((last, "She lifts the bar.", 3), (first, "Two coins, Ada.", 1)):
        turn = Turn.objects.get(story=story, chosen=True)
        client.post(reverse("choice", args=[story.pk, turn.pk]), {"variant": str(version)})
        (opening,) = reading.read_stretch(story, reading.open_stage(story)).turns
        assert (opening.text, opening.variant_number) == (words, number)


def test_the_narrator_knows_whom_a_scenario_lets_one_play(ada: User) -> None:
    """What its page says of that goes into the story, unless a persona of one's own was chosen."""
    found = starters()[0]
    client = signed_in_client(ada)
    client.post("/stories/", {"scenario": found.slug, "greeting": "0", "persona": "Wren"})
    stage = reading.open_stage(Story.objects.get())
    assert (stage.persona, stage.about) == ("Wren", found.persona_hint)


def test_no_such_opening(ada: User) -> None:
    """Nothing is stored for an opening that does not exist."""
    parts = stage_parts_of_starter(starters()[0], "Ada")
    for greeting in (-1, len(parts.greetings), 10**6):
        with pytest.raises(Refused):
            begin_story(owner=ada.pk, parts=parts, greeting=greeting, persona="Ada")
    assert not Story.objects.exists()


def test_no_story_for_an_account_without_a_key(ada: User) -> None:
    """An account that is being erased begins none."""
    connections["keystore"].cursor().execute("DELETE FROM vault_userkey")
    connections["keystore"].cursor().execute("UPDATE vault_keystore SET forgotten = forgotten + 1")
    with pytest.raises(KeyGone):
        begin_story(owner=ada.pk, parts=stage_parts_of_starter(starters()[0], "Ada"), greeting=0, persona="Ada")
    assert not Story.objects.exists()


@pytest.mark.parametrize(
    ("name", "persona"),
    [("", "ada"), ("  \n ", "ada"), (" Lady  Ada ", "Lady Ada"), ("Ада 灯", "Ада 灯"), ("x" * 60, "x" * 60)],
)
def test_a_name_to_play_under(name: str, persona: str) -> None:
    assert check_persona(name, otherwise="ada") == persona


@pytest.mark.parametrize("name", ["x" * 61, "a\x00b", "a\u202eb", "a\u2028\u200bb\x1b"])
def test_what_is_no_name(name: str) -> None:
    """Too long, or with signs that nobody sees."""
    with pytest.raises(Refused):
        check_persona(name, otherwise="ada")


def test_the_form_begins_a_story(ada: User) -> None:
    """The page of a scenario leads to a story of its own; what does not exist is refused in words."""
    client, script = signed_in_client(ada), {"X-Partial": "1"}
    answer = client.post("/stories/", {"scenario": "dead-cable", "greeting": "1", "persona": "Lady Ada"})
    story = Story.objects.get()
    assert answer.headers["Location"] == reverse("story", args=[story.pk])
    page = client.get(answer.headers["Location"]).content.decode()
    assert 'data-persona="Lady Ada"' in page
    for form, status in (
        ({"scenario": "no-such"}, 404),
        ({"scenario": "dead-cable", "greeting": "99"}, 400),
        ({"scenario": "dead-cable", "persona": "x" * 61}, 400),
        ({"character": "x"}, 400),
        ({"character": str(story.pk)}, 404),
        ({}, 400),
    ):
        refused = client.post("/stories/", form, headers=script)
        assert refused.status_code == status, form
        assert refused.json()["say"].endswith(".")
    assert Story.objects.count() == 1


@pytest.mark.sqlite
def test_a_story_lies_sealed(ada: User) -> None:
    """Title, stage and opening are in no column in clear."""
    parts = stage_parts_of_starter(starters()[0], "Lady Ada")
    begin_story(owner=ada.pk, parts=parts, greeting=0, persona="Lady Ada")
    raw = connections["default"].connection
    assert isinstance(raw, sqlite3.Connection)
    lies = b"".join(line.encode() for line in raw.iterdump() if "stories_" in line)
    assert lies
    for words in (parts.title, parts.premise[:30], "Lady Ada", parts.greetings[0][:30]):
        assert words.encode() not in lies
        assert words.encode().hex().encode() not in lies.lower()


def test_a_stage_comes_back_as_it_was() -> None:
    """What is kept of a stage is read back whole, and fields of a newer program are passed over."""
    stage = Stage(
        persona="Ada",
        premise="„Quotes“ and\nlines",
        cast=(CastMember(name="Maren", example_dialogue="<START>"),),
        roles=(Role("Maren", "keeps the lamp"),),
        lore=(LoreEntry(name="Lamp", keys=("lamp", "light"), content="It answers.", secondary_keys=("night",)),),
        byline="mystery",
        source="character:x",
    )
    assert Stage.from_bytes(stage.to_bytes()) == stage
    newer = stage.to_bytes().replace(b'"byline"', b'"weather":"fog","byline"').replace(b'"line"', b'"mood":1,"line"')
    assert Stage.from_bytes(newer) == stage
    assert stage.speaker == "Maren"
