"""Two tabs that correct one persona, lorebook or scenario: nothing is written over unseen, or in a wrong place."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from library import card_makers as make
from library.test_materials import BOOK, latest, upload
from mindstage.accounts.models import User
from mindstage.library.cards import limits
from mindstage.library.contents import Kind
from mindstage.library.materials import open_content
from mindstage.library.models import Character
from mindstage.stories.models import Story
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]


@pytest.fixture
def ada() -> User:
    return make_person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in_client(ada)


def test_a_text_that_another_tab_corrected_is_asked_about(client: Client) -> None:
    """Nothing is written over unseen."""
    client.post("/personas/", {"name": "Mara", "about": "One."})
    there = f"/personas/{latest('persona').pk}/edit/"
    seen = client.get(there).context["seen"]
    client.post(there, {"text.about": "Two.", "seen": seen})
    answer = client.post(there, {"text.about": "Three.", "seen": seen})
    assert answer.status_code == 409
    assert b"Two." in answer.content
    assert b"Three." in answer.content


def test_words_for_an_entry_never_land_in_another_that_took_its_place(client: Client) -> None:
    """Another tab removed an entry, and those behind it moved up: nothing is written, and what was typed is shown."""
    first, second = BOOK["entries"]
    third = second | {"keys": ["door"], "content": "It sticks."}
    book = BOOK | {"entries": [first, second | {"name": ""}, third | {"name": ""}]}
    upload(client, {"spec": "lorebook_v3", "data": book})
    there = f"/lorebooks/{latest('lorebook').pk}/edit/"
    seen = client.get(there).context["seen"]
    client.post(there, {f"text.entries.0.{name}": "" for name in ("name", "keys", "content")} | {"seen": seen})
    kept = open_content(latest("lorebook"), Purpose.SHOW)
    typed = {"text.entries.1.name": "Ninety of them", "text.entries.2.content": "It <never> stuck.", "seen": seen}
    answer = client.post(there, typed | {"text.description": "Of a house."})
    assert answer.status_code == 409
    assert open_content(latest("lorebook"), Purpose.SHOW) == kept
    page = answer.content.decode()
    assert "Ninety of them" in page
    assert "It &lt;never&gt; stuck." in page
    assert all("Ninety of them" not in field.text for group in answer.context["groups"] for field, _ in group.fields)


def blank(kind: str, number: int) -> dict[str, str]:
    """What a form sends that empties an entry."""
    rows = {Kind.LOREBOOK: "entries", Kind.SCENARIO: "lore"}[Kind(kind)]
    return {f"text.{rows}.{number}.{name}": "" for name in ("name", "keys", "content")}


@pytest.mark.parametrize(("kind", "rows"), [(Kind.LOREBOOK, "entries"), (Kind.SCENARIO, "lore")])
def test_words_never_land_in_another_entry_though_there_are_as_many_as_before(
    client: Client, kind: Kind, rows: str
) -> None:
    """One tab removes an entry and adds one; the other has words for those that moved, whose names are alike."""
    client.post(f"/{kind}s/", {"name": "Lamps"})
    there = f"/{kind}s/{latest(kind).pk}/edit/"
    for number, text in enumerate(("It burns whale oil.", "Ninety steps.", "It sticks.")):
        client.post(there, {"one_more": "lore"})
        client.post(there, {f"text.{rows}.{number}.content": text})
    seen = client.get(there).context["seen"]
    client.post(there, blank(kind, 0) | {"seen": seen, "one_more": "lore"})
    kept = open_content(latest(kind), Purpose.SHOW)
    assert len(kept[rows]) == 3
    answer = client.post(there, {f"text.{rows}.1.name": "The stair", "text.name": "Lights", "seen": seen})
    assert answer.status_code == 409
    assert open_content(latest(kind), Purpose.SHOW) == kept
    assert list(answer.context["loose"]) == ["The stair"]
    assert ">The stair<" in answer.content.decode()
    assert "Lights" in [field.text for group in answer.context["groups"] for field, _ in group.fields]
    again = answer.context["seen"]
    assert client.post(there, {f"text.{rows}.0.name": "The stair", "seen": again}).status_code == 302
    assert open_content(latest(kind), Purpose.SHOW)[rows][0]["name"] == "The stair"


def test_an_entry_is_not_removed_by_the_number_that_it_had(client: Client) -> None:
    """Two tabs remove one entry each: the second is told, and no third one goes in its stead."""
    upload(client, {"spec": "lorebook_v3", "data": BOOK | {"entries": [BOOK["entries"][0]] * 3}})
    there = f"/lorebooks/{latest('lorebook').pk}/edit/"
    seen = client.get(there).context["seen"]
    assert client.post(there, blank(Kind.LOREBOOK, 0) | {"seen": seen}).status_code == 302
    assert client.post(there, blank(Kind.LOREBOOK, 1) | {"seen": seen}).status_code == 409
    assert len(open_content(latest("lorebook"), Purpose.SHOW)["entries"]) == 2


def test_what_was_only_added_elsewhere_keeps_no_words_from_their_place(client: Client) -> None:
    """New entries stand behind those that a page knows; another tab's words in other fields stay too."""
    upload(client, {"spec": "lorebook_v3", "data": BOOK})
    there = f"/lorebooks/{latest('lorebook').pk}/edit/"
    seen = client.get(there).context["seen"]
    client.post(there, {"text.entries.1.name": "The steps", "seen": seen, "one_more": "1"})
    client.post(there, {"text.entries.1.content": "Ninety-one steps.", "seen": seen})
    entry = open_content(latest("lorebook"), Purpose.SHOW)["entries"][1]
    assert (entry["name"], entry["content"]) == ("The steps", "Ninety-one steps.")


def test_an_opening_that_moved_is_not_played_for_another(client: Client) -> None:
    """Emptied on another page, an opening lets those behind it move up: whoever had chosen one of these is told. One
    that stands where it stood begins its story."""
    card = make.to_json(make.v3(first_mes="One.", alternate_greetings=["Two.", "Three."]))
    client.post("/characters/", {"card": SimpleUploadedFile("c.json", card)})
    there = f"/characters/{Character.objects.get().pk}/"
    page = client.get(there).content.decode()
    form = dict(re.findall(r'<input type="hidden" name="(character|openings)" value="([^"]+)"', page))
    (two,) = re.findall(r'name="(card\.[^"]+)"[^>]*>\s*Two\.', client.get(f"{there}edit/").content.decode())
    assert client.post(f"{there}edit/", {two: ""}).status_code == 302
    for number in ("1", "2"):
        refused = client.post("/stories/", {**form, "greeting": number})
        assert refused.status_code == 409
        assert "changed or removed on another page" in refused.content.decode()
    assert not Story.objects.exists()
    assert client.post("/stories/", {**form, "greeting": "0"}).status_code == 302


def hidden_fields(page: str) -> dict[str, str]:
    """What the form that begins a story sends without being touched."""
    names = "character|own_scenario|openings|greeting"
    return dict(re.findall(rf'<input type="hidden" name="({names})" value="([^"]*)"', page))


@pytest.mark.parametrize(("field", "begins"), [("scenario", 409), ("first_mes", 409), ("description", 302)])
def test_what_stands_for_an_opening_is_not_exchanged(field: str, begins: int, client: Client) -> None:
    """A card without a greeting opens with its scenario: who chose that begins with no other words. What the opening
    is not made of can be corrected meanwhile."""
    card = make.to_json(make.v3(first_mes="", alternate_greetings=[], scenario="Rain on the pier."))
    client.post("/characters/", {"card": SimpleUploadedFile("c.json", card)})
    there = f"/characters/{Character.objects.get().pk}/"
    form = hidden_fields(client.get(there).content.decode())
    assert form["openings"]
    assert client.post(f"{there}edit/", {f"card.{field}": "Snow on the pier."}).status_code == 302
    assert b"Snow on the pier." in client.get(f"{there}edit/").content
    assert client.post("/stories/", form).status_code == begins
    again = hidden_fields(client.get(there).content.decode())
    assert client.post("/stories/", {**again, "persona": "Nora"}).status_code == 302


@pytest.mark.parametrize(("opening", "begins"), [("", 409), ("Fog.", 302)])
def test_a_premise_that_opens_a_story_is_not_exchanged(opening: str, begins: int, client: Client) -> None:
    """A scenario with a blank opening begins with its premise; with one of its own, the premise may change."""
    told = {"name": "The Ferry", "premise": "Rain on the pier.", "opening": opening}
    client.post("/scenarios/", told)
    there = f"/scenarios/{latest('scenario').pk}/"
    form = hidden_fields(client.get(there).content.decode())
    assert client.post(f"{there}edit/", {"text.premise": "Snow on the pier."}).status_code == 302
    assert client.post("/stories/", form).status_code == begins


def test_a_full_lorebook_says_that_it_is_full(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """One entry more than fit is refused as what it is, with the words that came with it; so is a file of too many."""
    monkeypatch.setattr(limits, "LORE_ENTRIES", len(BOOK["entries"]))
    upload(client, {"spec": "lorebook_v3", "data": BOOK})
    there = f"/lorebooks/{latest('lorebook').pk}/edit/"
    seen = client.get(there).context["seen"]
    page = client.post(there, {"text.name": "Of a house.", "one_more": "1", "seen": seen})
    assert page.status_code == 422
    assert f"It has {len(BOOK['entries'])} entries, as many as fit into one." in page.content.decode()
    assert "Of a house." in page.content.decode()
    refused = upload(
        client, {"spec": "lorebook_v3", "data": BOOK | {"entries": [*BOOK["entries"], BOOK["entries"][0]]}}
    )
    assert "This lorebook has more than" in refused.content.decode()
    assert "card" not in refused.context["problem"]
