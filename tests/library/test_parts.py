"""What is longer than one form has parts: every text can be corrected in one of them, and none gets lost."""

from __future__ import annotations

import re
from dataclasses import asdict
from html import unescape
from typing import Any

import pytest
from django.test import Client

from library.test_material_corrections import Book
from mindstage.accounts.models import User
from mindstage.library import correctable
from mindstage.library.contents import BLANK
from mindstage.library.correctable import Correctable, Group
from mindstage.library.materials import make_material, open_content
from mindstage.library.models import Material
from mindstage.library.parts import open_part
from mindstage.prompts.inputs import LoreEntry
from mindstage.stories.models import Story
from mindstage.streaming.raw import Refused
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]


@pytest.fixture
def ada() -> User:
    return make_person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in_client(ada)


@pytest.fixture
def small_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forms of seven texts: two entries, of three texts each."""
    monkeypatch.setattr(correctable, "MOST", 7)


def entry(number: int) -> dict[str, Any]:
    return {"keys": [f"key {number}"], "content": f"Fact {number}.", "name": f"Entry {number}", "x": number}


def form_in(page: str) -> dict[str, str]:
    """What a browser would send back."""
    texts = re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    hidden = re.findall(r'<input type="hidden" name="(seen|part)" value="([^"]*)"', page)
    return {name: unescape(text) for name, text in (*texts, *hidden)}


def forms_of(client: Client, there: str) -> list[dict[str, str]]:
    count = client.get(there).context["part"].count
    return [form_in(client.get(f"{there}?part={number}").content.decode()) for number in range(1, count + 1)]


@pytest.mark.usefixtures("small_forms")
def test_every_entry_of_a_long_book_can_be_corrected(client: Client, ada: User) -> None:
    """Each stands whole in one part, with its neighbours; whatever is corrected there, all others stay as they are."""
    book = Book(client, ada, *(entry(number) for number in range(11)))
    forms = forms_of(client, book.there)
    paths = [name for form in forms for name in form if name.startswith("text.entries.")]
    assert paths == [f"text.entries.{number}.{name}" for number in range(11) for name in ("name", "keys", "content")]
    assert len(forms) == 6
    for number in range(11):
        (form,) = (form for form in forms_of(client, book.there) if f"text.entries.{number}.name" in form)
        assert client.post(book.there, form | {f"text.entries.{number}.content": "New."}).status_code == 302
    assert book.entries == [entry(number) | {"content": "New."} for number in range(11)]


@pytest.mark.usefixtures("small_forms")
def test_a_number_keeps_the_words_and_turns_to_that_part(client: Client, ada: User) -> None:
    """Without scripts; whoever only looked loses and changes nothing."""
    book = Book(client, ada, *(entry(number) for number in range(5)))
    first = forms_of(client, book.there)[0]
    answer = client.post(book.there, first | {"text.entries.0.content": "New.", "go": "3"})
    assert answer.headers["Location"] == f"{book.there}?part=3"
    assert book.entries[0]["content"] == "New."
    page = client.get(answer.headers["Location"]).content.decode()
    assert "This is part 3 of 3" in page
    assert 'value="3" aria-label="Keep these words and turn to part 3" aria-current="page"' in page


@pytest.mark.usefixtures("small_forms")
def test_two_tabs_at_two_parts_lose_nothing(client: Client, ada: User) -> None:
    """Each writes what it shows; an entry that the other emptied meanwhile moves no words to a wrong place."""
    book = Book(client, ada, *(entry(number) for number in range(5)))
    first, second, third = forms_of(client, book.there)
    assert client.post(book.there, first | {"text.entries.1.name": "The lamp"}).status_code == 302
    assert client.post(book.there, second | {"text.entries.2.name": "The stair"}).status_code == 302
    assert [one["name"] for one in book.entries[:3]] == ["Entry 0", "The lamp", "The stair"]
    client.post(book.there, second | {f"text.entries.3.{name}": "" for name in ("name", "keys", "content")})
    before = book.entries
    assert [one["x"] for one in before] == [0, 1, 2, 4]
    answer = client.post(book.there, third | {"text.entries.4.content": "Never <lost>."})
    assert (answer.status_code, book.entries) == (409, before)
    assert "Never &lt;lost&gt;." in answer.content.decode()


def test_words_come_back_though_their_text_is_in_another_part_by_now(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another tab made texts longer: both wrote the same one, the form shows it, and a second yes decides."""
    monkeypatch.setattr(correctable, "ROOM", 80)
    book = Book(client, ada, *(entry(number) for number in range(4)))
    forms = forms_of(client, book.there)
    (form,) = (form for form in forms if "text.entries.3.content" in form)
    typed = form | {"text.entries.3.content": "Mine."}
    monkeypatch.setattr(correctable, "ROOM", 30)
    book.correct({"entries.0.content": "It grew by some words", "entries.3.content": "Theirs."})
    answer = client.post(book.there, typed)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "<p>Theirs.</p>" in page
    assert client.post(book.there, form_in(page)).status_code == 302
    assert [one["content"] for one in book.entries] == ["It grew by some words", "Fact 1.", "Fact 2.", "Mine."]


@pytest.mark.usefixtures("small_forms")
def test_a_long_scenario_and_a_long_stage_have_parts_too(client: Client, ada: User) -> None:
    """And what was just added is shown at once, wherever it stands."""
    lore = [asdict(LoreEntry(name=f"Entry {number}", keys=("a",), content="x")) for number in range(9)]
    row = make_material(owner=ada.pk, kind="scenario", name="The pier", content=BLANK["scenario"] | {"lore": lore})
    there = f"/scenarios/{row.pk}/edit/"
    assert any("text.lore.8.content" in form for form in forms_of(client, there))
    added = client.post(there, {"one_more": "cast"}).headers["Location"]
    assert "text.cast.0.name" in form_in(client.get(added).content.decode())
    content = open_content(Material.objects.get(pk=row.pk), Purpose.SHOW)
    assert (len(content["lore"]), len(content["cast"])) == (9, 1)
    client.post("/stories/", {"own_scenario": str(row.pk), "greeting": "0"})
    story = Story.objects.get()
    stage = f"/stories/{story.pk}/stage/"
    forms = forms_of(client, stage)
    assert len(forms) > 1
    answer = client.post(stage, forms[0] | {"stage.premise": "It rains.", "go": "2"})
    assert answer.headers["Location"] == f"{stage}?part=2"
    assert forms_of(client, stage)[0]["stage.premise"] == "It rains."


@pytest.mark.parametrize("kind", ["lorebook", "scenario"])
def test_no_text_is_stored_that_no_form_holds(client: Client, ada: User, kind: str) -> None:
    """Else it could not be corrected any more. Line ends count twice: a form sends two characters for each."""
    field = "description" if kind == "lorebook" else "premise"
    longest = "x" * (correctable.ROOM - 100) + "\n" * 50
    with pytest.raises(Refused):
        make_material(owner=ada.pk, kind=kind, name="N", content=BLANK[kind] | {field: f"{longest}x"})
    row = make_material(owner=ada.pk, kind=kind, name="N", content=BLANK[kind] | {field: longest})
    there = f"/{kind}s/{row.pk}/edit/"
    (form,) = (form for form in forms_of(client, there) if f"text.{field}" in form)
    as_sent = form | {f"text.{field}": longest.replace("\n", "\r\n")[1:]}
    assert client.post(there, as_sent).status_code == 302
    assert open_content(Material.objects.get(pk=row.pk), Purpose.SHOW)[field] == longest[1:]


@pytest.mark.usefixtures("small_forms")
def test_one_with_more_texts_than_a_form_holds_is_parted_itself() -> None:
    """A character may have a thousand greetings; those around it keep their own place."""
    texts = [Correctable(f"cast.0.greetings.{number}", "Greeting", "x") for number in range(20)]
    alone = [Correctable("premise", "Premise", "x")]
    groups = [Group("world", "", alone), Group("cast", "Bo", texts), Group("lore", "", alone)]
    parts = [open_part(groups, said=str(number)) for number in range(1, 5)]
    assert [one for part in parts for group in part.groups for one in group.fields] == [*alone, *texts, *alone]
    assert [(part.number, part.count, part.more) for part in parts] == [(1, 4, 0), (2, 4, 0), (3, 4, 0), (4, 4, 0)]


@pytest.mark.parametrize("said", ["", "0", "99999", "-1", "²", "x" * 50])
def test_an_address_that_names_no_part_shows_one(client: Client, ada: User, said: str) -> None:
    assert client.get(Book(client, ada, entry(0)).there, {"part": said}).context["part"].number == 1
