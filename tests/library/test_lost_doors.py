"""Every door to something that cannot be opened leads to a page that says so and what to do next, never to a fault."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from library import card_makers as make
from library.test_lost import Item, damage, lose_key, one, page_of
from mindstage.accounts.models import User
from mindstage.library.characters import import_character
from mindstage.library.contents import Kind
from mindstage.library.corrections import change_portrait
from mindstage.library.holdings import LibraryHolding
from mindstage.library.materials import make_material
from mindstage.library.models import Character, Material
from mindstage.library.trash import trash_item
from mindstage.rights.trash import list_trash
from mindstage.stories.models import Story
from mindstage.vault.keys import destroy_item_key
from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]

KINDS = ["character", *Kind.values]
BEGUN_BY = {"character": "character", "persona": "as", "lorebook": "books", "scenario": "own_scenario"}


@pytest.fixture
def ada() -> User:
    return make_person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    client = signed_in_client(ada)
    client.raise_request_exception = False
    return client


def damage_text(item: Item) -> None:
    damage(item, "card" if isinstance(item, Character) else "content")


def damage_name(item: Item) -> None:
    damage(item, "name")


def take_key(item: Item) -> None:
    lose_key(item, "")


def become_stricter(item: Item) -> None:
    """What the program that kept it took, this one does not."""
    if isinstance(item, Character):
        item.seal(card=b'{"spec": "chara_card_v9"}').save()
    elif item.kind == Kind.LOREBOOK:
        item.seal(content=b'{"entries": 3}').save()


def png() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (40, 60), (9, 9, 9)).save(out, "PNG")
    return SimpleUploadedFile("p.png", out.getvalue(), "image/png")


def begin(client: Client, item: Item, kind: str) -> Any:
    started = {} if kind in ("character", "scenario") else {"scenario": "dead-cable"}
    return client.post("/stories/", started | {"greeting": "0", BEGUN_BY[kind]: str(item.pk), "persona": "Mara"})


FAULTS = pytest.mark.parametrize("fault", [take_key, damage_text, damage_name, become_stricter])


@FAULTS
@pytest.mark.parametrize("kind", KINDS)
def test_no_door_to_it_is_a_fault(client: Client, ada: User, kind: str, fault: Callable[[Item], None]) -> None:
    """Its pages, what is sent to them, its files, and the pages and lists on which it would stand beside others."""
    item = one(ada, kind)
    if isinstance(item, Character):
        change_portrait(character=item, picture=png().read())
        item.refresh_from_db()
    fault(item)
    here = f"/{kind}s/{item.pk}/"
    doors: list[Any] = [client.get(there) for there in ("/", f"/{kind}s/", "/scenarios/dead-cable/?all", "/trash/")]
    doors += [client.get(page_of(item)), client.get(f"{here}edit/"), client.get(f"{here}edit/?part=2")]
    doors += [client.post(f"{here}edit/", {"text.name": "Mine", "card.name": "Mine", "seen": "", **more})
              for more in ({}, {"one_more": "lore"}, {"go": "2"})]  # fmt: skip
    doors += [client.get(f"{here}{file}/") for file in ("file", "portrait", "picture")]
    doors += [client.post(f"{here}picture/", {"picture": png()}), client.post("/lorebooks/", {"character": item.pk})]
    doors += [begin(client, item, kind), client.post(f"{here}trash/"), client.get("/trash/")]
    assert [door.status_code for door in doors if door.status_code >= 500] == []
    for door in doors:
        assert door.status_code < 400 or "btn" in door.content.decode()


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        *((kind, fault) for kind in KINDS for fault in (take_key, damage_text)),
        ("character", become_stricter),
        ("lorebook", become_stricter),
    ],
)
def test_no_story_is_begun_with_it(client: Client, ada: User, kind: str, fault: Callable[[Item], None]) -> None:
    """The page says what could not be opened, that no story was begun, and how to go on; another begins one."""
    item = one(ada, kind)
    fault(item)
    answer = begin(client, item, kind)
    page = answer.content.decode()
    assert answer.status_code == 410
    assert f"This {kind} can’t be opened" in page
    assert "No story was begun" in page
    assert f"/{kind}s/{item.pk}/trash/" in page
    assert not Story.objects.exists()
    assert begin(client, one(ada, kind), kind).status_code == 302


def test_an_account_that_was_frozen_meanwhile_begins_none(client: Client, ada: User, monkeypatch: Any) -> None:
    """Between the look at the session and the row of the story: it is said, and nothing is stored."""
    from mindstage.stories import beginnings

    create = beginnings.create_item_key

    def freeze_then_create(*args: Any, **more: Any) -> None:
        create(*args, **more)
        User.objects.update(state=User.State.FROZEN)

    monkeypatch.setattr(beginnings, "create_item_key", freeze_then_create)
    answer = client.post("/stories/", {"scenario": "dead-cable", "greeting": "0"})
    assert (answer.status_code, Story.objects.count()) == (409, 0)


def test_lore_of_a_lost_character_is_not_blamed_on_the_account(client: Client, ada: User) -> None:
    """Whoever asks for it is told which thing does not open, by the page that can delete it."""
    for fault in (take_key, damage_text, become_stricter):
        item = one(ada, "character")
        fault(item)
        answer = client.post("/lorebooks/", {"character": str(item.pk)})
        assert answer.status_code == 410
        assert f"/characters/{item.pk}/trash/" in answer.content.decode()
    assert not Material.objects.exists()


def test_a_damaged_portrait_costs_no_word_of_an_archive(ada: User) -> None:
    """The card is taken along without it, and the facts say that there is no picture."""
    character = import_character(owner=ada.pk, data=make.to_json(make.v2()))
    change_portrait(character=character, picture=png().read())
    character.refresh_from_db()
    damage(character, "portrait")
    told = dict(LibraryHolding().export(ada.pk))
    (facts,) = (content for name, content in told.items() if name.endswith("character.json"))
    assert (facts.get("unreadable"), facts["portrait"]) == (None, False)
    assert any(name.endswith("/card.json") for name in told)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_name_is_logged_without_a_word(
    client: Client, ada: User, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever runs the instance learns which column is damaged, and not whose it is or which row; a lost key is no
    damage."""
    damage_name(damaged := one(ada, kind))
    gone = make_material(owner=ada.pk, kind=Kind.PERSONA, name="Gone")
    destroy_item_key(gone.pk)
    with caplog.at_level(logging.ERROR):
        for there in (f"/{kind}s/", "/personas/"):
            client.get(there)
        table = "library_character" if kind == "character" else "library_material"
        lines = [record.getMessage() for record in caplog.records]
        assert set(lines) == {f"a sealed text does not open: {table}.name"}
        caplog.clear()
        trash_item(damaged)
        list_trash(ada.pk)
        assert len(caplog.records) == 1
    assert not re.search(f"{ada.pk}|{damaged.pk}|Mara", caplog.text)
