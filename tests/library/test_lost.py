"""What cannot be opened any more is said to be lost and can be deleted; it hides nothing else of one's own."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.characters import import_character
from mindstage.library.contents import Kind
from mindstage.library.materials import make_material
from mindstage.library.models import Character, Material
from mindstage.rights.trash import end_now, list_trash
from mindstage.vault.keys import destroy_item_key
from mindstage.vault.sealing import Sealed
from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]

type Item = Character | Material
KINDS = ["character", *Kind.values]


@pytest.fixture
def ada() -> User:
    return make_person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in_client(ada)


def one(owner: User, kind: str) -> Item:
    if kind == "character":
        return import_character(owner=owner.pk, data=make.to_json(make.v2()))
    return make_material(owner=owner.pk, kind=kind, name="Mara Vale")


def page_of(item: Item) -> str:
    if isinstance(item, Character):
        return f"/characters/{item.pk}/"
    return f"/{item.kind}s/{item.pk}/" + ("" if item.kind == Kind.SCENARIO else "edit/")


def lose_key(item: Item, _column: str) -> None:
    destroy_item_key(item.pk)


def damage(item: Item, column: str) -> None:
    value = getattr(item, column)
    setattr(item, column, Sealed(value[:-1] + bytes([value[-1] ^ 1])))
    item.save(update_fields=[column])


@pytest.mark.parametrize("fault", [lose_key, damage])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_lost_is_said_and_can_be_deleted(client: Client, ada: User, kind: str, fault: object) -> None:
    """Its list and its page say so, and it goes by the usual way; the others are there, and begin stories."""
    lost, whole = one(ada, kind), one(ada, kind)
    fault(lost, "name")  # type: ignore[operator]
    for there in ("/", "/scenarios/dead-cable/", page_of(whole)):
        assert client.get(there).status_code == 200
    page = client.get(f"/{kind}s/").content.decode()
    assert page_of(whole) in page
    assert f"A {kind} that can’t be opened" in page
    card_says_it_too = kind == "character" and fault is damage
    assert client.get(page_of(lost)).status_code == (200 if card_says_it_too else 410)
    (away,) = re.findall(rf'action="(/{kind}s/{lost.pk}/trash/)"', page)
    assert client.post(away).status_code == 302
    assert [lying.id for lying in list_trash(ada.pk)] == [lost.pk]
    assert end_now(ada.pk, lost.pk)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_text_is_said_on_its_page(client: Client, ada: User, kind: str) -> None:
    """Its name still opens, so its list knows of nothing; there it can be deleted too."""
    item = one(ada, kind)
    damage(item, "card" if kind == "character" else "content")
    page = client.get(page_of(item))
    assert page.status_code == 410
    assert f"/{kind}s/{item.pk}/trash/" in page.content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_words_for_what_is_gone_are_given_back(client: Client, ada: User, kind: str) -> None:
    """It was put into the trash in another tab, or its key went: what was typed stands on the page that says so."""
    rows = [one(ada, kind) for _ in range(2)]
    client.post(f"/{kind}s/{rows[0].pk}/trash/")
    destroy_item_key(rows[1].pk)
    field = "card.description" if kind == "character" else "text.name"
    for row in rows:
        answer = client.post(f"/{kind}s/{row.pk}/edit/", {field: "She <never> left.", "seen": ""})
        assert answer.status_code == 404
        assert "She &lt;never&gt; left." in answer.content.decode()
