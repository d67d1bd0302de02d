"""Personas, lorebooks and scenarios: kept under a key each, corrected in place, used, taken along, and truly gone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.characters import import_character
from mindstage.library.contents import Kind
from mindstage.library.lorebooks import lore_of
from mindstage.library.materials import find_material, make_material, open_content
from mindstage.library.models import Material
from mindstage.library.trash import trash_item
from mindstage.prompts.dialects import dialect_named
from mindstage.rights.trash import end_now, list_trash, take_back
from mindstage.stories.keeping import keep_as_scenario
from mindstage.stories.models import Story, Turn
from mindstage.stories.reading import open_stage
from mindstage.vault.keys import KeyGone, destroy_item_key, item_key
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client
from stories.scenes import make_story

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]

BOOK: dict[str, Any] = {
    "name": "Lamps",
    "mood": "kept as it came",
    "entries": [
        {"keys": ["lamp"], "content": "It burns whale oil.", "extensions": {"x": 1}, "enabled": True,
         "insertion_order": 5, "use_regex": False, "name": "The lamp"},
        {"keys": ["stair"], "content": "Ninety steps.", "extensions": {}, "enabled": True, "insertion_order": 6,
         "use_regex": False, "name": "The stair"},
    ],
    "extensions": {},
}  # fmt: skip


@pytest.fixture
def ada() -> User:
    return make_person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in_client(ada)


def upload(client: Client, content: Any) -> Any:
    file = SimpleUploadedFile("book.json", json.dumps(content).encode(), "application/json")
    return client.post("/lorebooks/", {"book": file})


def latest(kind: str) -> Material:
    return Material.objects.filter(kind=kind).latest("id")


def scenario(owner: User) -> Material:
    return keep_as_scenario(make_story(owner, turns=3))


def test_a_persona_is_written_once_and_played_in_every_story(client: Client) -> None:
    """Its name and words land on the stage as a copy: what is corrected later changes no story that has begun."""
    assert client.post("/personas/", {"name": " Mara  Vale ", "about": "Keeps the lamp."}).status_code == 302
    mara = latest("persona")
    begun = client.post("/stories/", {"scenario": "dead-cable", "greeting": "0", "as": str(mara.pk)})
    stage = open_stage(Story.objects.get())
    assert begun.status_code == 302
    assert (stage.persona, stage.about) == ("Mara Vale", "Keeps the lamp.")
    client.post(f"/personas/{mara.pk}/edit/", {"text.about": "Has left."})
    assert open_stage(Story.objects.get()).about == "Keeps the lamp."
    assert open_content(latest("persona"), Purpose.SHOW) == {"about": "Has left."}


def test_the_narrator_is_told_whom_the_author_plays() -> None:
    """Behind the cast, with macros read; and `{{persona}}` stands for these words."""
    from datetime import UTC, datetime

    from mindstage.prompts.assemble import assemble
    from mindstage.prompts.inputs import Budget, CastMember, PromptInputs

    inputs = PromptInputs(
        persona="Mara",
        about="{{user}} keeps the lamp of {{char}}.",
        premise="A house. {{persona}}",
        cast=(CastMember(name="Bo", description="A cook."),),
        lore=(),
        turns=(),
        dialect=dialect_named("general"),
        seed="s",
        now=datetime(2026, 1, 1, tzinfo=UTC),
    )
    prompt = assemble(inputs, budget=Budget(context=4_000, reply=200), count=len)
    system = prompt.messages[0].content
    assert "Mara, whom the other person plays: Mara keeps the lamp of Bo." in system
    assert "A house. Mara keeps the lamp of Bo." in system
    assert system.index("A cook.") < system.index("whom the other person plays")


def test_a_lorebook_comes_from_a_file_and_goes_as_one(client: Client) -> None:
    """V3 in, V3 out: every key that nobody here knows goes along."""
    answer = upload(client, {"spec": "lorebook_v3", "data": BOOK})
    book = latest("lorebook")
    assert answer.headers["Location"] == f"/lorebooks/{book.pk}/edit/?kept"
    assert json.loads(client.get(f"/lorebooks/{book.pk}/file/").content) == {"spec": "lorebook_v3", "data": BOOK}


def test_a_world_info_file_is_read_as_a_lorebook(client: Client) -> None:
    """SillyTavern keeps entries under numbers, with names of its own."""
    upload(client, {"entries": {"0": {"key": ["lamp"], "content": "It burns.", "order": 3, "disable": False}}})
    book = latest("lorebook")
    story = {"scenario": "dead-cable", "greeting": "0", "books": str(book.pk)}
    client.post("/stories/", story)
    added = open_stage(Story.objects.get()).lore[-1]
    assert (added.keys, added.content, added.order) == (("lamp",), "It burns.", 3)


@pytest.mark.parametrize("content", [[], {"entries": 3}, {"entries": [3]}, {"spec": "lorebook_v3"}, {"name": "x"}])
def test_what_is_no_lorebook_is_refused(client: Client, content: Any) -> None:
    """With a sentence, and nothing stored."""
    answer = upload(client, content)
    assert answer.status_code == 422
    assert b"Nothing was imported" in answer.content
    assert not Material.objects.exists()


def test_the_lore_of_a_character_becomes_a_lorebook(client: Client, ada: User) -> None:
    """The card keeps its own."""
    character = import_character(owner=ada.pk, data=make.to_json(make.v3()))
    assert client.post("/lorebooks/", {"character": str(character.pk)}).status_code == 302
    card = json.loads(character.open("card", Purpose.SHOW))
    assert open_content(latest("lorebook"), Purpose.SHOW) == card["data"]["character_book"]


@pytest.mark.parametrize("where", ["another's", "in the trash"])
def test_only_a_character_of_ones_own_gives_its_lore(client: Client, ada: User, where: str) -> None:
    """Another's, or one in the trash, is as if it did not exist: nobody gets a lorebook, not even its owner."""
    owner = make_person("ben") if where == "another's" else ada
    character = import_character(owner=owner.pk, data=make.to_json(make.v3()))
    if owner == ada:
        trash_item(character)
    assert client.post("/lorebooks/", {"character": str(character.pk)}).status_code == 404
    assert not Material.objects.exists()


def test_entries_are_added_corrected_and_removed(client: Client) -> None:
    """One more, to be written; one whose texts were all emptied goes; flags and unknown keys stay."""
    upload(client, {"spec": "lorebook_v3", "data": BOOK})
    there = f"/lorebooks/{latest('lorebook').pk}/edit/"
    client.post(there, {"one_more": "1"})
    client.post(there, {"text.entries.2.keys": "door\ngate", "text.entries.2.content": "It sticks."})
    empty = {f"text.entries.0.{name}": "" for name in ("name", "keys", "content")}
    client.post(there, empty)
    found = open_content(latest("lorebook"), Purpose.SHOW)
    assert [entry["keys"] for entry in found["entries"]] == [["stair"], ["door", "gate"]]
    assert found["mood"] == "kept as it came"


def test_a_stage_is_kept_as_a_scenario_and_begins_other_stories(client: Client, ada: User) -> None:
    """Premise, cast and lore go along; the name that was played under becomes a macro."""
    client.post("/stories/", {"scenario": "dead-cable", "greeting": "0", "persona": "Mara"})
    story = Story.objects.get()
    Turn.objects.get(story=story).seal(text="Mara waits. Maras do not.").save(update_fields=["text"])
    there = client.post(f"/stories/{story.pk}/scenario/").headers["Location"]
    kept = latest("scenario")
    assert there == f"/scenarios/{kept.pk}/"
    client.post("/stories/", {"own_scenario": str(kept.pk), "greeting": "0", "persona": "Bo"})
    other = Story.objects.latest("id")
    before, after = open_stage(story), open_stage(other)
    assert (after.premise, after.cast, after.lore, after.persona) == (before.premise, before.cast, before.lore, "Bo")
    assert Turn.objects.get(story=other).open("text", Purpose.SHOW) == "Bo waits. Maras do not."


def test_whom_the_author_played_is_in_no_kept_scenario(client: Client) -> None:
    """A persona is chosen anew with each story."""
    client.post("/personas/", {"name": "Mara", "about": "She keeps the lamp."})
    client.post("/stories/", {"scenario": "dead-cable", "greeting": "0", "as": str(latest("persona").pk)})
    client.post(f"/stories/{Story.objects.get().pk}/scenario/")
    content = open_content(latest("scenario"), Purpose.SHOW)
    assert (content["persona"], content["about"]) == ("", "")
    assert "Mara" not in json.dumps(content)


def test_the_lore_of_a_story_becomes_a_lorebook(client: Client) -> None:
    """As it was corrected there; another story that takes the book is told the very same."""
    client.post("/stories/", {"scenario": "dead-cable", "greeting": "0"})
    story = Story.objects.get()
    client.post(f"/stories/{story.pk}/stage/", {"stage.lore.0.content": "It hums."})
    answer = client.post(f"/stories/{story.pk}/lorebook/")
    kept = latest("lorebook")
    assert answer.headers["Location"] == f"/lorebooks/{kept.pk}/edit/?kept"
    assert kept.open("name", Purpose.SHOW) == "Dead Cable"
    assert lore_of(kept) == open_stage(Story.objects.get()).lore
    assert lore_of(kept)[0].content == "It hums."


def test_a_story_without_lore_gives_no_lorebook(client: Client, ada: User) -> None:
    """Its page does not offer it; who asks all the same is told so, and nothing is stored."""
    client.post("/scenarios/", {"name": "The Ferry"})
    client.post("/stories/", {"own_scenario": str(latest("scenario").pk), "greeting": "0"})
    there = f"/stories/{Story.objects.get().pk}"
    assert b"as a lorebook" not in client.get(f"{there}/stage/").content
    assert client.post(f"{there}/lorebook/").status_code == 400
    assert not Material.objects.filter(kind="lorebook").exists()


def test_every_text_of_a_scenario_can_be_corrected(client: Client, ada: User) -> None:
    """Its name, premise, opening and cast."""
    kept = scenario(ada)
    texts = {"name": "The Lamp", "premise": "It rains.", "openings.0": "Listen.", "cast.0.description": "Tall."}
    client.post(f"/scenarios/{kept.pk}/edit/", {f"text.{path}": text for path, text in texts.items()})
    found, content = latest("scenario"), open_content(latest("scenario"), Purpose.SHOW)
    assert found.open("name", Purpose.SHOW) == "The Lamp"
    assert (content["premise"], content["openings"]) == ("It rains.", ["Listen."])
    assert content["cast"][0]["description"] == "Tall."


@pytest.mark.parametrize("kind", list(Kind))
def test_each_lies_in_the_trash_and_ends_for_good(client: Client, ada: User, kind: Kind) -> None:
    """Undo takes it back; *delete now* destroys its key, and nothing of it is left."""
    one = scenario(ada) if kind == Kind.SCENARIO else make_material(owner=ada.pk, kind=kind, name="Mara")
    client.post(f"/{kind}s/{one.pk}/trash/")
    assert [(lying.words, lying.days_left) for lying in list_trash(ada.pk)] == [(f"a {kind}", 30)]
    assert find_material(ada.pk, one.pk, kind) is None
    page = client.get(f"/{kind}s/?trashed={one.pk}").content.decode()
    assert f"The {kind} is in the trash" in page
    assert f'<input type="hidden" name="next" value="/{kind}s/">' in page
    assert "It is back where it was." in client.get(f"/{kind}s/?back").content.decode()
    assert take_back(ada.pk, one.pk)
    assert find_material(ada.pk, one.pk, kind)
    client.post(f"/{kind}s/{one.pk}/trash/")
    assert end_now(ada.pk, one.pk)
    assert not Material.objects.filter(pk=one.pk).exists()
    with pytest.raises(KeyGone):
        item_key(one.pk)


@pytest.mark.parametrize("kind", list(Kind))
def test_nobody_else_finds_one(ada: User, kind: Kind) -> None:
    """Another's is as if it did not exist: on its pages, and when a story begins."""
    one = scenario(ada) if kind == Kind.SCENARIO else make_material(owner=ada.pk, kind=kind, name="Mara")
    ben = signed_in_client(make_person("ben"))
    stories = Story.objects.count()
    assert ben.get(f"/{kind}s/{one.pk}/edit/").status_code == 404
    assert ben.post(f"/{kind}s/{one.pk}/edit/", {"text.name": "Mine"}).status_code == 404
    assert ben.post(f"/{kind}s/{one.pk}/trash/").status_code == 404
    field = {Kind.PERSONA: "as", Kind.LOREBOOK: "books", Kind.SCENARIO: "own_scenario"}[kind]
    form = {"scenario": "dead-cable", "greeting": "0", field: str(one.pk)}
    assert ben.post("/stories/", form).status_code in (400, 404)
    assert Story.objects.count() == stories
    trash_item(one)
    assert ben.get(f"/{kind}s/?trashed={one.pk}").context["trashed"] is None


def test_what_ended_meanwhile_is_not_corrected(client: Client) -> None:
    """Its key went while the page was open: it is not there, and the page does not break."""
    client.post("/personas/", {"name": "Mara", "about": "One."})
    mara = latest("persona")
    destroy_item_key(mara.pk)
    assert client.post(f"/personas/{mara.pk}/edit/", {"text.about": "Two."}).status_code == 404


def test_a_large_lorebook_may_come_in() -> None:
    """The page takes files as the one for cards does."""
    from mindstage.config import bodies

    assert "/lorebooks/" in bodies.CARD_PATHS


@pytest.mark.parametrize(("name", "about"), [("", "x"), ("x" * 61, ""), ("a\x07b", "")])
def test_a_persona_without_a_proper_name_is_refused_and_nothing_typed_is_lost(
    client: Client, name: str, about: str
) -> None:
    """The page comes back with both."""
    answer = client.post("/personas/", {"name": name, "about": f"{about} kept words"})
    assert answer.status_code == 422
    assert b"kept words" in answer.content
    assert not Material.objects.exists()


def test_a_story_takes_each_lorebook_once_and_no_more_than_it_can_hold(client: Client, ada: User) -> None:
    """A form may name one book a thousand times, or many that are too large together: nothing grows without bound."""
    content = {"entries": [BOOK["entries"][0] | {"content": "x" * 90_000}] * 17}
    large = [make_material(owner=ada.pk, kind="lorebook", name="Lamps", content=content) for _ in range(2)]
    form = {"scenario": "dead-cable", "greeting": "0"}
    answer = client.post("/stories/", form | {"books": [str(book.pk) for book in large]})
    assert answer.status_code == 400
    assert not Story.objects.exists()
    assert client.post("/stories/", form | {"books": [str(large[0].pk)] * 900}).status_code == 302
    assert [entry.name for entry in open_stage(Story.objects.get()).lore].count("The lamp") == 17


def test_a_scenario_is_written_by_hand_and_played(client: Client) -> None:
    """Title, premise and opening first; then a cast and lore, one after the other; none of it is asked for twice."""
    form = {"name": "The  Ferry", "byline": "Fog", "premise": "A river at night.", "opening": "{{user}} hears a bell."}
    there = client.post("/scenarios/", form).headers["Location"]
    client.post(there, {"one_more": "cast"})
    client.post(there, {"text.cast.0.name": "Bo", "text.roles.0.line": "Rows.", "one_more": "lore"})
    client.post(there, {"text.lore.0.keys": "bell", "text.lore.0.content": "It is cracked.", "one_more": "cast"})
    kept = latest("scenario")
    assert "Rows." in client.get(f"/scenarios/{kept.pk}/").content.decode()
    client.post("/stories/", {"own_scenario": str(kept.pk), "greeting": "0", "persona": "Ann"})
    story = Story.objects.get()
    stage = open_stage(story)
    assert story.open("title", Purpose.SHOW) == "The Ferry"
    assert (stage.premise, stage.byline, [role.line for role in stage.roles]) == ("A river at night.", "Fog", ["Rows."])
    assert ([one.name for one in stage.cast], stage.lore[0].keys) == (["Bo"], ("bell",))
    assert Turn.objects.get(story=story).open("text", Purpose.SHOW) == "Ann hears a bell."


def test_a_member_of_a_scenario_is_removed_by_emptying_it_and_never_left_nameless(client: Client) -> None:
    """The line in the list of the cast goes along; what is only half emptied is refused, and nothing typed is lost."""
    there = client.post("/scenarios/", {"name": "The Ferry"}).headers["Location"]
    for number, name in enumerate(("Bo", "Ann")):
        client.post(there, {"one_more": "cast"})
        told = {"name": name, "description": f"{name} rows."}
        client.post(there, {f"text.cast.{number}.{field}": text for field, text in told.items()})
    answer = client.post(there, {"text.cast.0.name": "", "text.cast.0.description": "Nobody rows."})
    assert answer.status_code == 422
    assert b"Nobody rows." in answer.content
    client.post(there, {"text.cast.0.name": "", "text.cast.0.description": ""})
    content = open_content(latest("scenario"), Purpose.SHOW)
    assert [one["name"] for one in content["cast"]] == [one["name"] for one in content["roles"]] == ["Ann"]


def test_a_scenario_without_an_opening_opens_with_its_premise(client: Client) -> None:
    """And one that has neither, with its title: a story is never begun without a first turn."""
    for premise, opening in (("A river.", "A river."), ("", "The Ferry")):
        client.post("/scenarios/", {"name": "The Ferry", "premise": premise})
        client.post("/stories/", {"own_scenario": str(latest("scenario").pk), "greeting": "0"})
        assert Turn.objects.get(story=Story.objects.latest("id")).open("text", Purpose.SHOW) == opening


def test_lore_is_counted_in_words(client: Client, ada: User) -> None:
    """One piece comes up as the story touches it, two come up as it touches them."""
    one = scenario(ada)
    edit = f"/scenarios/{one.pk}/edit/"
    for number, says in enumerate(("1 piece of lore comes up as the story touches it.",
                                   "2 pieces of lore come up as the story touches them.")):  # fmt: skip
        client.post(edit, {"one_more": "lore"})
        client.post(edit, {f"text.lore.{number}.content": f"The lamp has {number} flames."})
        assert says in client.get(f"/scenarios/{one.pk}/").content.decode()


def test_what_was_just_written_is_said_to_be_kept(client: Client) -> None:
    """On the page of corrections that it leads to: not when that page is opened later, nor when it refuses."""
    led = client.post("/scenarios/", {"name": "The Lamp", "opening": "It is dark."}).headers["Location"]
    there, kept = led.removesuffix("?kept"), "The scenario is kept"
    assert kept in client.get(led).content.decode()
    assert kept not in client.get(there).content.decode()
    assert kept not in client.post(led, {"text.name": ""}).content.decode()
