"""Personas, lorebooks and scenarios that were taken out come in again, whatever else their files held."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.datamap.porting import NotUnderstood
from mindstage.library.cards import limits
from mindstage.library.characters import import_character
from mindstage.library.contents import BLANK, Kind
from mindstage.library.lorebooks import import_lorebook, keep_book_of
from mindstage.library.materials import list_materials, make_material, open_content
from mindstage.library.models import Character, Material
from mindstage.library.trash import trash_item
from mindstage.rights.trash import list_trash
from mindstage.vault.models import ItemKey
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client
from rights.takeouts import bring, empty_exports, resign, take_out, unzip

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    yield make_person("ada")
    empty_exports()


def nested(levels: int) -> dict[str, Any]:
    return {"a": nested(levels - 1)} if levels else {}


def come_back(ada: User) -> Any:
    """What a lorebook of hers holds in another account, out of an archive."""
    ben = make_person("ben")
    bring(ben, take_out(ada))
    return open_content(Material.objects.get(owner=ben), Purpose.SHOW)


def test_a_lorebook_as_deep_as_any_comes_back(ada: User) -> None:
    """Other programs' settings go along, up to the last level that a file may have."""
    book = {"entries": [{"keys": ["lamp"], "content": "It burns."}], "extensions": nested(limits.JSON_DEPTH - 2)}
    import_lorebook(owner=ada.pk, data=json.dumps(book).encode())
    assert come_back(ada) == book


def test_the_book_of_a_deep_card_comes_back(ada: User) -> None:
    """The same out of a character."""
    book = {"entries": [], "extensions": nested(limits.JSON_DEPTH - 4)}
    card = make.v3()
    card["data"]["character_book"] = book
    keep_book_of(import_character(owner=ada.pk, data=make.to_json(card)))
    assert come_back(ada) == book


def test_its_day_and_what_it_was_kept_from_come_along(ada: User) -> None:
    """The day on which it was made; and the character of a scenario, under its identifier there."""
    begun = import_character(owner=ada.pk, data=make.to_json(make.v3()))
    content = BLANK["scenario"] | {"source": f"character:{begun.pk}"}
    row = make_material(owner=ada.pk, kind="scenario", name="The Ferry", content=content)
    Material.objects.filter(pk=row.pk).update(made_on=date(2026, 2, 3))
    again = come_back(ada)
    assert again["source"] == f"character:{Character.objects.exclude(pk=begun.pk).get().pk}"
    assert Material.objects.exclude(pk=row.pk).get().made_on == date(2026, 2, 3)


def test_what_lay_in_the_trash_lies_there_again(ada: User) -> None:
    """And nothing else does."""
    for name in ("Mara", "Bo"):
        make_material(owner=ada.pk, kind="persona", name=name)
    trash_item(Material.objects.latest("id"))
    ben = make_person("ben")
    bring(ben, take_out(ada))
    assert [lying.title for lying in list_trash(ben.pk)] == ["Bo"]
    assert [line.name for line in list_materials(ben.pk, "persona")] == ["Mara"]


def with_facts(archive: bytes, facts: dict[str, Any]) -> bytes:
    """The archive with other facts about its one material, signed by whoever wrote them."""
    files = unzip(archive)
    (name,) = [name for name in files if name.endswith("/material.json")]
    return resign(files | {name: json.dumps(json.loads(files[name]) | facts).encode()})


SCENARIO = BLANK["scenario"]
WRONG: list[dict[str, Any]] = [
    {"format": "mindstage-material-2"},
    {"kind": "cast"},
    {"kind": ["persona"]},
    {"id": 3},
    {"made_on": "tomorrow"},
    {"made_on": None},
    {"name": ""},
    {"name": "x" * 61},
    {"name": "Mara\x00"},
    {"name": " Mara"},
    {"name": None},
    {"content": None},
    {"content": []},
    {"content": {}},
    {"content": {"about": 3}},
    {"content": {"about": "half \ud800 of it"}},
    {"content": {"about": "x" * 3_000_001}},
    {"kind": "lorebook", "content": {"entries": 3}},
    {"kind": "lorebook", "content": {"entries": [3]}},
    {"kind": "lorebook", "content": {"entries": [{"keys": {"a": 1}}]}},
    {"kind": "lorebook", "content": {"entries": [{}] * 5_001}},
    {"kind": "scenario", "content": {"about": "x"}},
    {"kind": "scenario", "content": SCENARIO | {"premise": None}},
    {"kind": "scenario", "content": SCENARIO | {"source": 3}},
    {"kind": "scenario", "content": SCENARIO | {"openings": "x"}},
    {"kind": "scenario", "content": SCENARIO | {"openings": [3]}},
    {"kind": "scenario", "content": SCENARIO | {"openings": ["x"] * 1_001}},
    {"kind": "scenario", "content": SCENARIO | {"cast": [{}]}},
    {"kind": "scenario", "content": SCENARIO | {"cast": [{"name": "Bo", "greetings": "x"}]}},
    {"kind": "scenario", "content": SCENARIO | {"roles": [{"name": "Bo"}]}},
    {"kind": "scenario", "content": SCENARIO | {"lore": [{"name": "", "keys": "x", "content": ""}]}},
    {"kind": "scenario", "content": SCENARIO | {"lore": [{"name": "", "keys": [], "content": "", "order": True}]}},
]


@pytest.mark.parametrize("facts", WRONG, ids=range(len(WRONG)))
def test_what_no_page_could_show_is_refused_whole(ada: User, facts: dict[str, Any]) -> None:
    """Types, sizes and signs are judged before the first key is made."""
    make_material(owner=ada.pk, kind="persona", name="Mara", content={"about": "She waits."})
    archive, ben, keys = take_out(ada), make_person("ben"), ItemKey.objects.count()
    with pytest.raises(NotUnderstood):
        bring(ben, with_facts(archive, facts))
    assert (Material.objects.filter(owner=ben).count(), ItemKey.objects.count()) == (0, keys)


@pytest.mark.parametrize("kind", list(Kind))
def test_what_comes_in_is_shown_and_begins_a_story(ada: User, kind: Kind) -> None:
    """Whatever passes can be opened, corrected and played, fields that nobody here knows included."""
    content = BLANK[kind] | {"more": {"a": [1, None]}}
    if kind == Kind.SCENARIO:
        content |= {
            "cast": [{"name": "Bo", "mood": 3}],
            "roles": [],
            "lore": [{"name": "", "keys": [], "content": "x"}],
        }
    make_material(owner=ada.pk, kind="persona", name="Mara")
    ben = make_person("ben")
    bring(ben, with_facts(take_out(ada), {"kind": kind, "content": content}))
    row, client = Material.objects.get(owner=ben), signed_in_client(ben)
    there = f"/{kind}s/{row.pk}/edit/"
    assert client.get(there).status_code == 200
    assert client.post(there, {"text.name": "Bo"}).status_code == 302
    assert open_content(Material.objects.get(pk=row.pk), Purpose.SHOW)["more"] == {"a": [1, None]}
    chosen = {Kind.PERSONA: "as", Kind.LOREBOOK: "books", Kind.SCENARIO: "own_scenario"}[kind]
    form = {"scenario": "dead-cable", "greeting": "0", chosen: str(row.pk)}
    assert client.post("/stories/", form).status_code == 302
