"""What a story began with is corrected in place; the next prompt is told the new words, and nothing typed is lost."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from mindstage.accounts.endings import keep
from mindstage.accounts.models import User
from mindstage.config.configuration import ProviderEntry
from mindstage.gateway.routes import default_route
from mindstage.library.correctable import Meanwhile, mark_of
from mindstage.library.staging import stage_parts_of_starter
from mindstage.library.starters import starters
from mindstage.prompts.inputs import CastMember, LoreEntry
from mindstage.stories import stage_corrections
from mindstage.stories.beginnings import begin_story
from mindstage.stories.models import Story
from mindstage.stories.prompting import build_prompt, open_inputs
from mindstage.stories.reading import open_stage
from mindstage.stories.refusals import Refused
from mindstage.stories.stage_corrections import correct_stage, list_stage
from mindstage.stories.trash import trash_story
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client
from stories.house import provide
from stories.scenes import STAGE, make_story, taken_of

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])
LAMP = LoreEntry(name="The lamp", keys=("lamp", "light"), content="It answers.", secondary_keys=("sea",), order=7)
MAREN = CastMember(
    name="Maren", nickname="Mar", description="Keeps the lamp.", personality="Dry.", scenario="At night.",
    example_dialogue="<START>", system_prompt="Be brief.", post_history_instructions="Stay calm.",
    depth_prompt="She limps.", version="2", greetings=("Hello.", "Come in."),
)  # fmt: skip


@pytest.fixture
def story(ada: User) -> Story:
    """One with a text in every field that a stage has."""
    made = make_story(ada, turns=3)
    made.seal(stage=replace(STAGE, cast=(MAREN,), lore=(LAMP, replace(LAMP, name=""))).to_bytes()).save()
    return made


def fields_of(story: Story) -> dict[str, str]:
    groups = list_stage(Story.objects.get(pk=story.pk))
    return {one.path: one.text for group in groups for one in group.fields}


def marks_of(story: Story) -> dict[str, str]:
    return {path: mark_of(text) for path, text in fields_of(story).items()}


def raw_of(story: Story) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Story.objects.get(pk=story.pk).open_bytes("stage", Purpose.SHOW))
    return found


def there(story: Story) -> str:
    return f"/stories/{story.pk}/stage/"


def page_of(client: Client, story: Story) -> dict[str, str]:
    """The form as a browser would send it back, untouched."""
    return form_in(client.get(there(story)).content.decode())


def form_in(page: str) -> dict[str, str]:
    texts = re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    (seen,) = re.findall(r'name="seen" value="([^"]*)"', page)
    return {name: unescape(text) for name, text in texts} | {"seen": seen}


def test_every_text_of_a_stage_can_be_corrected(story: Story) -> None:
    """Each field takes other words, none of the old ones is left, and the rest stays as it was."""
    before, fields = raw_of(story), fields_of(story)
    new = {path: f"word {number}" for number, path in enumerate(fields)}
    correct_stage(story=story, texts=new, seen=marks_of(story))
    assert fields_of(story) == new
    after = raw_of(story)
    left = {text for text in fields.values() if text in json.dumps(after)}
    assert left <= {"2", "Hello."[:0], ""}
    for same in ("persona", "source"):
        assert after[same] == before[same]
    assert after["lore"][0]["order"] == 7
    assert after["roles"][0]["name"] == after["cast"][0]["name"] == new["cast.0.name"]


def test_the_next_prompt_is_told_the_new_words(story: Story, settings: Any) -> None:
    """Premise, cast and lore; the old ones are in it no more."""
    provide(settings, ProviderEntry(id="far", base_url="http://127.0.0.1:9/v1", models=("teller",), context=4_096))
    texts = {"premise": "A mill.", "cast.0.description": "Grinds the corn.", "lore.0.content": "It is mute."}
    texts |= {"lore.0.keys": "line\n\n of ", "lore.0.secondary_keys": ""}
    correct_stage(story=story, texts=texts, seen={})
    route = default_route()
    prompt = build_prompt(open_inputs(taken_of(Story.objects.get(pk=story.pk)), route=route), route=route)
    said = "\n".join(message.content for message in prompt.messages)
    for new in ("A mill.", "Grinds the corn.", "It is mute."):
        assert new in said
    for old in ("lighthouse", "Keeps the lamp", "It answers"):
        assert old not in said.replace("It answers.", "", 1)  # the second entry says it still
    assert raw_of(story)["lore"][0]["keys"] == ["line", "of"]


def test_the_page_corrects(story: Story, ada: User) -> None:
    """A plain form with every text in a field, linked from the play page; nothing untouched is written."""
    client = signed_in_client(ada)
    assert f'href="{there(story)}"' in client.get(f"/stories/{story.pk}/").content.decode()
    form = page_of(client, story)
    assert {name.removeprefix("stage.") for name in form} - {"seen"} == set(fields_of(story))
    sealed = bytes(Story.objects.get(pk=story.pk).stage)
    assert client.post(there(story), form).status_code == 302
    assert bytes(Story.objects.get(pk=story.pk).stage) == sealed
    answer = client.post(there(story), form | {"stage.premise": "One.\r\nTwo.", "stage.cast.0.name": " Mara  Lee "})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/stories/{story.pk}/")
    assert raw_of(story)["premise"] == "One.\nTwo."
    assert "<b>Mara Lee</b>" in client.get(f"/stories/{story.pk}/").content.decode()
    assert b"One." not in bytes(Story.objects.get(pk=story.pk).stage)


def test_a_scenario_shows_what_there_is_and_not_each_empty_field(ada: User) -> None:
    """Of what nothing stands anywhere only the usual fields are offered."""
    parts = stage_parts_of_starter(starters()[0], "ada")
    story = begin_story(owner=ada.pk, parts=parts, greeting=0, persona="ada")
    names = {path.rpartition(".")[2] for path in fields_of(story)}
    assert "system_prompt" not in names
    assert {"premise", "description", "content", "line"} <= names


def test_two_tabs_do_not_write_over_each_other(story: Story, ada: User) -> None:
    """Different words both count. The same ones: nothing is written, both are shown, and a second yes decides."""
    client = signed_in_client(ada)
    first, second = page_of(client, story), page_of(client, story)
    client.post(there(story), first | {"stage.premise": "From the first."})
    assert client.post(there(story), second | {"stage.lore.0.content": "From the second."}).status_code == 302
    assert (raw_of(story)["premise"], raw_of(story)["lore"][0]["content"]) == ("From the first.", "From the second.")
    before = raw_of(story)
    typed = {"stage.premise": "Mine.", "stage.cast.0.description": "Mine too."}
    answer = client.post(there(story), second | typed)
    page = answer.content.decode()
    assert (answer.status_code, raw_of(story)) == (409, before)
    assert "another tab has corrected the same words" in page
    for words in (
        "From the first.",
        ">\nMine.</textarea>",
        ">\nMine too.</textarea>",
        ">\nFrom the second.</textarea>",
    ):
        assert words in page
    assert client.post(there(story), form_in(page)).status_code == 302
    assert (raw_of(story)["premise"], raw_of(story)["cast"][0]["description"]) == ("Mine.", "Mine too.")
    assert raw_of(story)["lore"][0]["content"] == "From the second."


def test_names_are_not_written_over_either(story: Story, ada: User) -> None:
    """A tab that changes the title leaves the name that another gave; and of two titles one is asked about."""
    client, names = signed_in_client(ada), f"/stories/{story.pk}/names/"
    stale = inputs_in(client.get(names).content.decode())
    client.post(names, stale | {"persona": "Wren"})
    assert client.post(names, stale | {"title": "The Mill"}).status_code == 302
    answer = client.post(names, stale | {"title": "The Quarry"})
    page = answer.content.decode()
    assert (answer.status_code, "<p>The Mill</p>" in page, 'value="The Quarry"' in page) == (409, True, True)
    assert client.post(names, inputs_in(page)).status_code == 302
    after = inputs_in(client.get(names).content.decode())
    assert (after["title"], after["persona"]) == ("The Quarry", "Wren")


def inputs_in(page: str) -> dict[str, str]:
    found = re.findall(r'<input[^>]* name="(title|persona|seen)"[^>]* value="([^"]*)"', page)
    return {name: unescape(text) for name, text in found}


def test_the_deed_refuses_what_it_was_not_shown(story: Story) -> None:
    """With marks of other words; the same words written twice are no quarrel."""
    stale = marks_of(story)
    correct_stage(story=story, texts={"premise": "New."}, seen=stale)
    correct_stage(story=story, texts={"premise": "New."}, seen=stale)
    with pytest.raises(Meanwhile) as meanwhile:
        correct_stage(story=story, texts={"premise": "Newer."}, seen=stale)
    assert meanwhile.value.paths == {"premise"}


REFUSED = {
    "a name on two lines is one": ("cast.0.name", "A\nB", False),
    "no name": ("cast.0.name", "  ", True),
    "a long name": ("cast.0.name", "x" * 201, True),
    "a null": ("premise", "a\x00b", True),
    "half a letter": ("lore.0.content", "\ud800", True),
    "too much": ("premise", "x" * 3_000_001, True),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_kept_changes_nothing(case: str, story: Story) -> None:
    path, text, refused = REFUSED[case]
    before = raw_of(story)
    if not refused:
        correct_stage(story=story, texts={path: text}, seen={})
        assert raw_of(story)["cast"][0]["name"] == "A B"
        return
    with pytest.raises(Refused):
        correct_stage(story=story, texts={path: text, "byline": "other"}, seen={})
    assert raw_of(story) == before


def test_a_save_that_fails_keeps_what_was_typed(story: Story, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, or a full disk: the page comes back with all of it, and can be sent again."""
    client = signed_in_client(ada)
    form = page_of(client, story) | {"stage.premise": "Typed for an hour.", "stage.cast.0.name": ""}
    answer = client.post(there(story), form)
    assert (answer.status_code, "Typed for an hour." in answer.content.decode()) == (422, True)
    form["stage.cast.0.name"] = "Maren"

    def fail(*_: Any, **__: Any) -> bytes:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(stage_corrections, "_pack", fail)
        answer = client.post(there(story), form)
    assert (answer.status_code, "Typed for an hour." in answer.content.decode()) == (503, True)
    assert client.post(there(story), form).status_code == 302
    assert raw_of(story)["premise"] == "Typed for an hour."


def test_whose_session_has_ended_can_send_it_again(story: Story, ada: User) -> None:
    """Logged out in another tab: what was typed stands in the page that says so, for after the log-in."""
    client = signed_in_client(ada)
    form = page_of(client, story) | {"stage.premise": "Typed for an hour."}
    stranger = Client()
    answer = stranger.post(there(story), form)
    page = answer.content.decode()
    assert answer.status_code == 403
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    again = {name: unescape(text) for name, text in fields}
    assert "Send it again" in page
    assert client.post(there(story), again).status_code == 302
    assert raw_of(story)["premise"] == "Typed for an hour."


def test_a_story_that_went_to_the_trash_meanwhile_takes_it_later(story: Story, ada: User) -> None:
    """What was typed stands in the page that says so; out of the trash again, it is sent once more."""
    client = signed_in_client(ada)
    form = page_of(client, story) | {"stage.premise": "Typed for an hour."}
    trash_story(story=story)
    answer = client.post(there(story), form)
    page = answer.content.decode()
    assert (answer.status_code, "Typed for an hour." in page, "Send it again" in page) == (404, True, True)
    keep(story.pk)
    assert client.post(there(story), form).status_code == 302
    assert raw_of(story)["premise"] == "Typed for an hour."


def test_a_tab_that_was_faster_keeps_its_words(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one correction is made ready another is written: both count, and nobody waits for the first one's lock."""
    ready = stage_corrections._pack

    def be_slow(raw: dict[str, Any]) -> bytes:
        assert not connection.in_atomic_block or connection.savepoint_ids == before
        monkeypatch.setattr(stage_corrections, "_pack", ready)
        correct_stage(story=story, texts={"cast.0.description": "Tall."}, seen={})
        return ready(raw)

    before = list(connection.savepoint_ids)
    monkeypatch.setattr(stage_corrections, "_pack", be_slow)
    correct_stage(story=story, texts={"premise": "It rains."}, seen={})
    assert (raw_of(story)["premise"], raw_of(story)["cast"][0]["description"]) == ("It rains.", "Tall.")


def test_a_story_that_ends_for_good_meanwhile_gives_the_words_back(
    story: Story, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks of one request: the page says that it is not there, with all that was typed."""
    form = page_of(signed_in_client(ada), story) | {"stage.premise": "Typed for an hour."}

    def end_and_correct(**_: Any) -> None:
        raise Story.DoesNotExist

    monkeypatch.setattr("mindstage.stories.views.stage.correct_stage", end_and_correct)
    answer = signed_in_client(ada).post(there(story), form)
    assert (answer.status_code, "Typed for an hour." in answer.content.decode()) == (404, True)


def test_cleo_corrects_nothing(story: Story) -> None:
    """Another's story is not there, neither is one in the trash, and a stranger is shown the door."""
    before = raw_of(story)
    cleo = signed_in_client(make_person("cleo"))
    assert cleo.get(there(story)).status_code == 404
    assert cleo.post(there(story), {"stage.premise": "Mine"}).status_code == 404
    assert Client().post(there(story), {"stage.premise": "Mine"}).status_code == 403
    assert raw_of(story) == before


def test_what_it_began_with_stays_what_the_page_reads(story: Story) -> None:
    """After a correction the stage opens as before, with every type in its place."""
    correct_stage(story=story, texts={"lore.0.keys": "a\nb", "cast.0.greetings.1": "Go."}, seen={})
    stage = open_stage(Story.objects.get(pk=story.pk))
    assert stage.lore[0].keys == ("a", "b")
    assert stage.cast[0].greetings == ("Hello.", "Go.")
