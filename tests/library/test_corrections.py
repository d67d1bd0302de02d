"""What a person brought with a card can be corrected in place, to the last lore entry, over what was there before."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library import correctable, corrections
from mindstage.library.cards import Card, CardRefused, read_card
from mindstage.library.characters import import_character
from mindstage.library.correctable import Correctable
from mindstage.library.corrections import correct_character, list_correctable
from mindstage.library.models import Character
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])
CARDS = {"v1": make.v1, "v2": make.v2, "v3": make.v3, "pygmalion": make.pygmalion}


@pytest.fixture
def ada(vault: None) -> User:
    return make_person("ada")


def bring(ada: User, card: Any) -> Character:
    return import_character(owner=ada.pk, data=make.to_json(card))


def kept(character: Character) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Character.objects.get(pk=character.pk).open_bytes("card", Purpose.SHOW))
    return found


def fields_of(character: Character) -> list[Correctable]:
    return [one for group in list_correctable(character) for one in group.fields]


@pytest.mark.parametrize("kind", CARDS)
def test_every_text_of_a_card_can_be_corrected(kind: str, ada: User) -> None:
    """Each field of each version takes other words; none of the old ones is left in them, and the card still reads."""
    character = bring(ada, CARDS[kind]())
    fields = fields_of(character)
    new = {one.path: f"word {number}" for number, one in enumerate(fields)}
    correct_character(character=character, texts=new)
    again = fields_of(Character.objects.get(pk=character.pk))
    assert {one.path: one.text for one in again} == new
    assert read_card(make.to_json(kept(character))).name == new[fields[0].path]
    assert Character.objects.get(pk=character.pk).open("name", Purpose.SHOW) == "word 0"


def test_nothing_else_changes(ada: User) -> None:
    """Unknown fields and all that was not touched stay, also the line ends that a form does not know."""
    card = make.v3()
    card["data"]["scenario"] = "One.\r\nTwo."
    character = bring(ada, card)
    before = kept(character)
    fields = fields_of(character)
    texts = {one.path: one.text.replace("\r\n", "\n").replace("\n", "\r\n") for one in fields}
    correct_character(character=character, texts=texts | {"nothing.7": "x"})
    assert kept(character) == before
    correct_character(character=character, texts={"description": "Tall."})
    before["data"]["description"] = "Tall."
    assert kept(character) == before


def test_the_copy_for_older_readers_is_corrected_too(ada: User) -> None:
    """Cards that say everything twice keep no old word in the other place."""
    card = make.v2()
    card |= {"name": card["data"]["name"], "description": card["data"]["description"]}
    character = bring(ada, card)
    correct_character(character=character, texts={"name": "Wren Ashdown", "description": "Short."})
    found = kept(character)
    assert (found["name"], found["description"]) == ("Wren Ashdown", "Short.")
    assert (found["data"]["name"], found["data"]["description"]) == ("Wren Ashdown", "Short.")


def test_what_could_not_be_read_again_is_refused(ada: User) -> None:
    """A name that is far too long changes nothing, and the page keeps what was typed."""
    character = bring(ada, make.v2())
    before = kept(character)
    with pytest.raises(CardRefused):
        correct_character(character=character, texts={"name": "x" * 100_000})
    answer = signed_in_client(ada).post(f"/characters/{character.pk}/edit/", {"card.name": "x" * 100_000})
    assert answer.status_code == 422
    assert "Nothing was changed." in answer.content.decode()
    assert "x" * 100_000 in answer.content.decode()
    assert kept(character) == before


def test_the_page_corrects(ada: User) -> None:
    """A plain form with every text in a field; afterwards the character is shown under its new name."""
    character = bring(ada, make.v2())
    client = signed_in_client(ada)
    page = client.get(f"/characters/{character.pk}/edit/").content.decode()
    fields = fields_of(character)
    assert page.count("<textarea") == len(fields)
    answer = client.post(f"/characters/{character.pk}/edit/", {"card.name": "Wren", "card.description": "a\r\nb"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/characters/{character.pk}/")
    shown = client.get(f"/characters/{character.pk}/").content.decode()
    assert "Wren" in shown
    assert f'href="/characters/{character.pk}/edit/"' in shown
    assert "Wren" in client.get("/characters/").content.decode()
    assert kept(character)["data"]["description"] == "a\nb"


def test_a_card_that_no_form_holds_is_corrected_in_parts(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each text has its place in one of them; a number keeps what was typed, and turns to that part."""
    monkeypatch.setattr(correctable, "MOST", 3)
    character = bring(ada, make.v3())
    client, there = signed_in_client(ada), f"/characters/{character.pk}/edit/"
    count = client.get(there).context["part"].count
    forms = [form_in(client.get(f"{there}?part={number}").content.decode()) for number in range(1, count + 1)]
    names = [name for form in forms for name in form if name.startswith("card.")]
    assert sorted(names) == sorted(f"card.{one.path}" for one in fields_of(character))
    assert max(len(form) for form in forms) == 3 + 1
    last = next(name for name in reversed(names) if name.endswith("content"))
    answer = client.post(there, forms[-1] | {last: "It was never doubled.", "part": str(count), "go": "2"})
    assert answer.headers["Location"] == f"{there}?part=2"
    assert kept(character)["data"]["character_book"]["entries"][0]["content"] == "It was never doubled."


def test_what_no_form_holds_is_said(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """One text that is too long by itself: not dropped in silence, and not changed either."""
    monkeypatch.setattr(correctable, "ROOM", 20)
    character = bring(ada, make.v2())
    assert "too long for a form" in signed_in_client(ada).get(f"/characters/{character.pk}/edit/").content.decode()


def test_two_tabs_do_not_write_over_each_other(ada: User) -> None:
    """Different words both count; of the same ones nothing is written, both are shown, and a second yes decides."""
    character = bring(ada, make.v2())
    client, there = signed_in_client(ada), f"/characters/{character.pk}/edit/"
    stale = form_in(client.get(there).content.decode())
    client.post(there, stale | {"card.description": "From the first."})
    assert client.post(there, stale | {"card.personality": "From the second."}).status_code == 302
    data = kept(character)["data"]
    assert (data["description"], data["personality"]) == ("From the first.", "From the second.")
    answer = client.post(there, stale | {"card.description": "Mine."})
    page = answer.content.decode()
    assert (answer.status_code, kept(character)["data"]) == (409, data)
    assert "<p>From the first.</p>" in page
    assert client.post(there, form_in(page)).status_code == 302
    assert (kept(character)["data"]["description"], kept(character)["data"]["personality"]) == (
        "Mine.",
        "From the second.",
    )


def form_in(page: str) -> dict[str, str]:
    """What a browser would send back."""
    texts = re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    (seen,) = re.findall(r'name="seen" value="([^"]*)"', page)
    return {name: unescape(text) for name, text in texts} | {"seen": seen}


def test_cleo_corrects_nothing(ada: User) -> None:
    """Another's character is not there, and a stranger is shown the door."""
    character = bring(ada, make.v2())
    there, before = f"/characters/{character.pk}/edit/", kept(character)
    cleo = signed_in_client(make_person("cleo"))
    assert cleo.get(there).status_code == cleo.post(there, {"card.name": "Mine"}).status_code == 404
    assert Client().post(there, {"card.name": "Mine"}).status_code == 403
    assert kept(character) == before


def test_a_tab_that_was_faster_keeps_its_words(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large card takes most of a second to read: nobody else waits for it, and both corrections count."""
    character, ready = bring(ada, make.v2()), corrections.read_card

    def be_slow(content: bytes) -> Card:
        assert not connection.in_atomic_block or connection.savepoint_ids == before
        monkeypatch.setattr(corrections, "read_card", ready)
        correct_character(character=character, texts={"personality": "Kind."})
        return ready(content)

    before = list(connection.savepoint_ids)
    monkeypatch.setattr(corrections, "read_card", be_slow)
    correct_character(character=character, texts={"description": "Tall."})
    data = kept(character)["data"]
    assert (data["description"], data["personality"]) == ("Tall.", "Kind.")


@pytest.mark.parametrize("language", ["de", "a b", "x=y", "a.b", "\n"])
def test_notes_in_other_languages_are_corrected(ada: User, language: str) -> None:
    """Under the name of the language; a card may call one as it likes, and its page still tells texts apart."""
    character = bring(ada, make.v3(creator_notes_multilingual={"en": "For rain.", language: "Für Regen."}))
    client, there = signed_in_client(ada), f"/characters/{character.pk}/edit/"
    form = form_in(client.get(there).content.decode())
    client.post(there, form | {"card.creator_notes_multilingual.en": "For sun."})
    assert client.post(there, form | {"card.creator_notes_multilingual.en": "For snow."}).status_code == 409
    assert kept(character)["data"]["creator_notes_multilingual"] == {"en": "For sun.", language: "Für Regen."}
    assert ("card.creator_notes_multilingual.de" in form) == (language == "de")


def test_prose_is_set_as_a_story_is(ada: User) -> None:
    """Its description and openings, not its name, tags or author."""
    character = bring(ada, make.v3())
    page = signed_in_client(ada).get(f"/characters/{character.pk}/edit/").content.decode()
    kinds = {
        path.rpartition("data.")[2]: kind
        for kind, path in re.findall(r'class="(input[^"]*)" id="[^"]*" name="card\.([^"]+)"', page)
    }
    prose = {path for path, kind in kinds.items() if "prose-in" in kind}
    assert {"description", "first_mes", "alternate_greetings.0"} <= prose
    assert {"name", "tags", "creator"} <= kinds.keys() - prose
