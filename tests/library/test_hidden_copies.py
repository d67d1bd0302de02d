"""A correction reaches every copy of the old words that a file brought along: none stays or is exported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from library import card_makers as make
from library.test_materials import latest, upload
from mindstage.accounts.models import User
from mindstage.library.cards import CardRefused
from mindstage.library.characters import import_character
from mindstage.library.corrections import correct_character, list_correctable
from mindstage.library.holdings import LibraryHolding
from mindstage.library.materials import list_correctable as list_texts
from mindstage.library.materials import open_content
from mindstage.library.models import Character
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]

OLD, NEW = "Wilhelm hides behind the door.", "Nobody hides there."


@pytest.fixture
def ada() -> User:
    return make_person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in_client(ada)


def world_info() -> dict[str, Any]:
    """As SillyTavern writes a book that came with a card: its entries, and the card's own book beside them."""
    entry = {"uid": 0, "key": ["Wilhelm"], "keysecondary": [], "comment": "Wilhelm Tor", "content": OLD, "order": 3}
    told = {"id": 0, "keys": ["Wilhelm"], "comment": "Wilhelm Tor", "content": OLD, "enabled": True}
    return {"entries": {"0": entry}, "originalData": {"name": "Doors", "entries": [told]}}


def archive_of(ada: User) -> str:
    """All that an export holds of the room, as text."""
    told = (content for _, content in LibraryHolding().export(ada.pk))
    return "\n".join(_text(content) for content in told)


def _text(content: Any) -> str:
    content = getattr(content, "content", content)
    return content.decode("latin-1") if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False)


def correct_book(client: Client, texts: dict[str, str]) -> Any:
    row = latest("lorebook")
    there = f"/lorebooks/{row.pk}/edit/"
    assert client.post(there, {f"text.{path}": text for path, text in texts.items()}).status_code == 302
    return open_content(latest("lorebook"), Purpose.SHOW)


def test_a_world_info_file_keeps_no_old_word_of_an_entry(client: Client, ada: User) -> None:
    """Neither under the names of its own, nor in the card's book that it carries along."""
    upload(client, world_info())
    texts = {"entries.0.content": NEW, "entries.0.keys": "door", "entries.0.comment": "The door"}
    kept = correct_book(client, texts)
    assert kept["entries"][0]["order"] == 3
    assert "Wilhelm" not in json.dumps(kept)
    assert "Wilhelm" not in archive_of(ada)
    file = client.get(f"/lorebooks/{latest('lorebook').pk}/file/").content
    assert (b"Wilhelm" in file, NEW.encode() in file) == (False, True)


def test_a_world_info_file_that_nobody_corrected_goes_as_it_came(client: Client) -> None:
    upload(client, world_info())
    assert open_content(latest("lorebook"), Purpose.SHOW) == world_info()


def test_an_entry_that_was_emptied_is_in_no_copy_either(client: Client) -> None:
    upload(client, world_info())
    fields = [one.path for group in list_texts(latest("lorebook")) for one in group.fields]
    kept = correct_book(client, {path: "" for path in fields if path.startswith("entries.0.")})
    assert "Wilhelm" not in json.dumps(kept)


def test_settings_of_other_programs_say_the_new_words(client: Client) -> None:
    """Wherever the old text stands by itself in a text that no page shows; texts of the page are their author's."""
    entry = {"keys": ["door"], "content": OLD, "name": "Tor", "enabled": True, "insertion_order": 1,
             "extensions": {"theirs": {"shown": f"[{OLD}]", "as json": json.dumps({"said": OLD})}}}  # fmt: skip
    seen = entry | {"content": f"Everybody knows: {OLD}", "extensions": {"door": "Tor", "title": "Tores"}}
    upload(client, {"entries": [entry, seen], "extensions": {}, "mood": ["Tor", {"Tor": 1}]})
    kept = correct_book(client, {"entries.0.content": NEW, "entries.0.name": "Gate"})
    first, second = kept["entries"]
    assert first["extensions"] == {"theirs": {"shown": f"[{NEW}]", "as json": json.dumps({"said": NEW})}}
    assert (second["content"], second["name"]) == (f"Everybody knows: {OLD}", "Tor")
    assert second["extensions"] == {"door": "Gate", "title": "Tores"}
    assert kept["mood"] == ["Gate", {"Tor": 1}]


def test_words_that_change_places_are_not_swapped_twice(client: Client) -> None:
    """What a correction has just put in is not taken for an old word of another one."""
    one, other = ({"keys": ["a"], "content": text, "enabled": True} for text in ("The lamp.", "The stair."))
    upload(client, {"entries": [one, other], "extensions": {"theirs": ["The lamp.", "The stair."]}})
    kept = correct_book(client, {"entries.0.content": "The stair.", "entries.1.content": "The lamp. It burns."})
    assert kept["extensions"]["theirs"] == ["The stair.", "The lamp. It burns."]


def card() -> dict[str, Any]:
    """A V2 card as several programs leave it: said again at the top, under other names, in settings, as JSON."""
    found = make.v2(creator_notes="About Wilhelm.", name="Wilhelm Tor", description="Wilhelm waits.")
    found["data"]["extensions"] |= {"world": "Wilhelm’s book", "theirs": [{"bio": "Wilhelm waits."}]}
    found["data"]["extensions"]["depth_prompt"] = {"prompt": "Wilhelm limps.", "depth": 4}
    found["data"]["character_book"] |= {"name": "Wilhelm’s book", "description": "All of Wilhelm."}
    found["data"]["character_book"]["entries"][0] |= {"comment": "Wilhelm", "content": "Wilhelm’s toll."}
    found["json_data"] = json.dumps(found["data"])
    return found | {
        "name": "Wilhelm Tor", "char_name": "Wilhelm Tor", "char_persona": "Wilhelm waits.",
        "creatorcomment": "About Wilhelm.", "chat": "Wilhelm Tor - 2024-1-1", "avatar": "Wilhelm Tor.png",
        "character_book": json.loads(json.dumps(found["data"]["character_book"])),
    }  # fmt: skip


def test_a_card_keeps_no_old_word_anywhere(ada: User) -> None:
    """Every text with the word is on the page; once they are corrected it is in no field, no copy and no file."""
    character = import_character(owner=ada.pk, data=make.to_json(card()))
    fields = [one for group in list_correctable(character) for one in group.fields]
    texts = {one.path: one.text.replace("Wilhelm", "Greta") for one in fields if "Wilhelm" in one.text}
    correct_character(character=character, texts=texts)
    kept = Character.objects.get(pk=character.pk).open("card", Purpose.SHOW)
    assert kept.count("Greta") == json.dumps(card(), ensure_ascii=False).count("Wilhelm")
    assert "Wilhelm" not in kept
    assert "Wilhelm" not in archive_of(ada)
    again = import_character(owner=ada.pk, data=kept.encode())
    assert again.open("name", Purpose.SHOW) == "Greta Tor"


def test_a_card_stays_a_card_whatever_its_words_were(ada: User) -> None:
    """Version, tags and keys are in many a setting; what a file says of its own form is nobody's words."""
    found = make.v3(character_version="3.0", name="chara_card_v3", tags=["png", "rain"])
    character = import_character(owner=ada.pk, data=make.to_json(found))
    correct_character(character=character, texts={"name": "Greta", "character_version": "4", "tags": "webp\nrain"})
    kept = json.loads(Character.objects.get(pk=character.pk).open("card", Purpose.SHOW))
    assert (kept["spec"], kept["spec_version"], kept["data"]["assets"]) == (
        "chara_card_v3",
        "3.0",
        found["data"]["assets"],
    )


@pytest.mark.parametrize("shape", ["other names", "by number", "numbers for words"])
def test_lore_of_a_card_is_corrected_whatever_its_shape(ada: User, shape: str) -> None:
    """Other programs leave world-info entries in a card; what is read of them can be corrected."""
    entry: dict[str, Any] = {"key": ["Wilhelm"], "content": OLD, "comment": "Wilhelm", "order": 2, "disable": False}
    if shape == "numbers for words":
        entry |= {"key": [1812, 1813], "name": 7}
    entries: Any = {"5": entry} if shape == "by number" else [entry]
    character = import_character(owner=ada.pk, data=make.to_json(make.v2(character_book={"entries": entries})))
    paths = [one.path for group in list_correctable(character) for one in group.fields if "entries" in one.path]
    assert {f"character_book.entries.0.{name}" for name in ("keys", "content", "comment")} <= set(paths)
    correct_character(character=character, texts={path: f"word {number}" for number, path in enumerate(paths)})
    kept = Character.objects.get(pk=character.pk).open("card", Purpose.SHOW)
    assert [word for word in ("Wilhelm", "1812") if word in kept] == []


def test_words_that_cannot_be_stored_change_no_copy_either(ada: User) -> None:
    """A null character is no text: the correction is refused, and the card is as it was."""
    character = import_character(owner=ada.pk, data=make.to_json(card()))
    with pytest.raises(CardRefused):
        correct_character(character=character, texts={"description": "Greta\x00waits."})
    kept = json.loads(Character.objects.get(pk=character.pk).open("card", Purpose.SHOW))
    assert kept == card()


def test_of_two_old_texts_the_longer_one_is_found(client: Client) -> None:
    """One text may begin as another does."""
    one, other = ({"keys": ["a"], "content": text, "enabled": True} for text in ("Tor", "Tor is shut"))
    upload(client, {"entries": [one, other], "extensions": {"theirs": "Tor is shut. Tor! Tores"}})
    kept = correct_book(client, {"entries.0.content": "Gate", "entries.1.content": "It is open"})
    assert kept["extensions"]["theirs"] == "It is open. Gate! Tores"
