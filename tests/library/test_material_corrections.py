"""Corrections of lorebooks and scenarios touch what was corrected, all of it, and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from mindstage.accounts.models import User
from mindstage.library import materials
from mindstage.library.contents import BLANK
from mindstage.library.materials import make_material, open_content
from mindstage.library.models import Material
from mindstage.prompts.inputs import CastMember
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]


@pytest.fixture
def ada() -> User:
    return make_person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in_client(ada)


class Book:
    """A lorebook of Ada's, and its page."""

    def __init__(self, client: Client, ada: User, *entries: Any, **more: Any) -> None:
        content = {"entries": list(entries), **more}
        self.client = client
        self.row = make_material(owner=ada.pk, kind="lorebook", name="Lamps", content=content)
        self.there = f"/lorebooks/{self.row.pk}/edit/"

    def marks(self) -> str:
        """What a tab holds that is opened now."""
        seen: str = self.client.get(self.there).context["seen"]
        return seen

    def correct(self, texts: dict[str, str], **more: str) -> Any:
        return self.client.post(self.there, {f"text.{path}": text for path, text in texts.items()} | more)

    @property
    def content(self) -> Any:
        return open_content(Material.objects.get(pk=self.row.pk), Purpose.SHOW)

    @property
    def entries(self) -> list[Any]:
        entries: list[Any] = self.content["entries"]
        return entries


LAMP = {"keys": ["lamp"], "content": "It burns whale oil.", "name": "The lamp"}
STAIR = {"keys": ["stair"], "content": "Ninety steps.", "name": "The stair"}


def test_an_entry_that_was_not_emptied_stays(client: Client, ada: User) -> None:
    """A line that parts a book has a comment and no text; keys may be numbers. Neither is dropped beside another."""
    parting = {"keys": [], "content": "", "comment": "Places", "extensions": {"x": 1}}
    numbers = {"keys": [1, 2], "content": ""}
    book = Book(client, ada, parting, numbers, LAMP)
    book.correct({"entries.2.content": "It burns gas."}, one_more="1")
    assert book.entries[:3] == [parting, numbers, LAMP | {"content": "It burns gas."}]
    page = client.get(book.there)
    assert page.content.decode().count('id="more"') == 1
    assert page.context["added"] is page.context["groups"][-1]


@pytest.mark.parametrize("name", ["x" * 300, "Ann \U0001f469\u200d\U0001f680"])
def test_a_name_that_came_with_a_card_keeps_no_other_correction_out(client: Client, ada: User, name: str) -> None:
    """A card's name may be longer than one that is typed here, and have signs that none may have."""
    content = BLANK["scenario"] | {"cast": [asdict(CastMember(name=name))], "roles": [{"name": name, "line": ""}]}
    row = make_material(owner=ada.pk, kind="scenario", name="The Ferry", content=content)
    assert client.post(f"/scenarios/{row.pk}/edit/", {"text.premise": "It rains."}).status_code == 302
    assert open_content(Material.objects.get(pk=row.pk), Purpose.SHOW)["cast"][0]["name"] == name


def test_no_other_place_keeps_a_word_that_was_corrected(client: Client, ada: User) -> None:
    """World-info files call keys by another name, and a file says the book's name as well."""
    world_info = {"key": ["Wilhelm"], "keysecondary": ["Wilhelm"], "content": "It burns.", "order": 3}
    book = Book(client, ada, world_info, name="Wilhelm")
    book.correct({"name": "Light", "entries.0.keys": "lamp", "entries.0.secondary_keys": ""})
    assert "Wilhelm" not in json.dumps(book.content)
    assert (book.content["name"], book.entries[0]["key"], book.entries[0]["keys"]) == ("Light", ["lamp"], ["lamp"])


def test_a_description_in_several_pieces_is_corrected_where_it_stands(client: Client, ada: User) -> None:
    """Other programs write what they like."""
    book = Book(client, ada, description=["One.", "Two."])
    book.correct({"description.1": "Three."})
    assert book.content == {"entries": [], "description": ["One.", "Three."]}


@pytest.mark.parametrize(("kind", "field"), [("persona", "about"), ("scenario", "premise"), ("scenario", "opening")])
def test_what_no_correction_takes_is_not_taken_at_first_either(client: Client, kind: str, field: str) -> None:
    """A null character is no text; all that was typed stands on the page."""
    answer = client.post(f"/{kind}s/", {"name": "Mara", field: "She\x00waits."})
    assert (answer.status_code, Material.objects.count()) == (422, 0)
    assert "waits." in answer.content.decode()


def test_an_entry_is_added_to_a_book_that_no_form_holds_whole(client: Client, ada: User) -> None:
    """The page that follows shows the part in which it stands, behind all others."""
    book = Book(client, ada, *({"keys": [f"k{number}"], "content": "x", "name": f"n{number}"} for number in range(400)))
    answer = book.correct({}, one_more="1")
    groups = client.get(answer.headers["Location"]).context["groups"]
    added = [field.path for field, _ in groups[-1].fields]
    assert added == [f"entries.400.{name}" for name in ("name", "keys", "content")]
    book.correct({"entries.400.content": "It sticks."})
    assert book.entries[-1]["content"] == "It sticks."


def test_a_tab_that_was_faster_keeps_its_words(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one correction is made ready another is written: both count, and none waits for the other's lock."""
    book, ready = Book(client, ada, LAMP, STAIR), materials.pack

    def be_slow(kind: str, content: Any) -> bytes:
        assert not connection.in_atomic_block or connection.savepoint_ids == before
        monkeypatch.setattr(materials, "pack", ready)
        book.correct({"entries.1.content": "Eighty steps."})
        return ready(kind, content)

    before = list(connection.savepoint_ids)
    monkeypatch.setattr(materials, "pack", be_slow)
    assert book.correct({"entries.0.content": "It burns gas."}).status_code == 302
    assert [entry["content"] for entry in book.entries] == ["It burns gas.", "Eighty steps."]


def test_a_field_is_called_the_same_when_it_is_new_and_when_it_is_corrected(client: Client, ada: User) -> None:
    """A scenario has a title, and one opening is no *opening 1*; what is wrong with a title is said of a title."""
    there = client.post("/scenarios/", {"name": "The Ferry", "opening": "Fog."}).headers["Location"]
    labels = [
        re.findall(r'<label for="[^"]*">([^<]+)', client.get(page).content.decode())
        for page in ("/scenarios/new/", there)
    ]
    assert set(labels[0]) == set(labels[1]) == {"Title", "Line under the title", "Premise", "Opening"}
    assert b"It needs a title" in client.post(there, {"text.name": " "}).content
    content = BLANK["scenario"] | {"openings": ["One.", "Two."]}
    two = make_material(owner=ada.pk, kind="scenario", name="The Ferry", content=content)
    page = client.get(f"/scenarios/{two.pk}/edit/").content.decode()
    assert ">Opening 1<" in page
    assert ">Opening 2<" in page


@pytest.mark.parametrize("kind", ["persona", "scenario"])
def test_a_long_text_is_sent_as_it_is(client: Client, kind: str) -> None:
    """Not with three signs for each byte of another alphabet, which would make a third of it too much to be taken."""
    page = client.get(f"/{kind}s/new/").content.decode()
    form = page[page.index(f'action="/{kind}s/"') :]
    assert 'enctype="multipart/form-data"' in form[: form.index(">")]
