"""Lists of personas, lorebooks and scenarios, and what of them is offered where a story begins."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial

import pytest
from django.test import Client

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.kit import clock
from mindstage.library import choosing, materials
from mindstage.library.characters import import_character
from mindstage.library.contents import BLANK, Kind
from mindstage.library.materials import make_material
from mindstage.library.trash import trash_item
from mindstage.library.views import materials as pages
from mindstage.rights.trash import end_now
from mindstage.stories.models import Story
from mindstage.vault.keys import destroy_item_key
from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]


@pytest.fixture
def ada() -> User:
    return make_person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in_client(ada)


@pytest.mark.parametrize("kind", [Kind.PERSONA, Kind.LOREBOOK])
@pytest.mark.parametrize("begin", ["/scenarios/dead-cable/", "/scenarios/{scenario}/", "/characters/{character}/"])
def test_a_story_can_be_begun_with_any_of_them(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch, kind: Kind, begin: str
) -> None:
    """A page that begins a story offers the newest, and leads to all of them, by their names."""
    for module in (materials, choosing):
        monkeypatch.setattr(module, "PAGE", 2)
    scenario = make_material(owner=ada.pk, kind=Kind.SCENARIO, name="The pier")
    character = import_character(owner=ada.pk, data=make.to_json(make.v1()))
    here = begin.format(scenario=scenario.pk, character=character.pk)
    rows = [make_material(owner=ada.pk, kind=kind, name=name) for name in ("ann", "Cid", "Bea")]
    there = "as" if kind == Kind.PERSONA else "books"
    link = f'formaction="?all#{there}" formnovalidate>Choose from all 3 {kind}s'
    page = client.get(here).content.decode()
    assert [str(row.pk) in page for row in rows] == [False, True, True]
    assert link in page
    assert client.get(here).content.decode().count("?all#") == 1
    whole = client.get(f"{here}?all").content.decode()
    places = [whole.index(str(rows[number].pk)) for number in (0, 2, 1)]
    assert places == sorted(places)
    assert "?all#" not in whole
    trash_item(rows[1])
    assert "?all#" not in client.get(here).content.decode()


@pytest.mark.parametrize("begin", ["/scenarios/dead-cable/", "/scenarios/{scenario}/", "/characters/{character}/"])
def test_what_was_typed_stays_while_all_are_opened(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch, begin: str
) -> None:
    """Opening, name, persona and books: they go along with the button, are in no address, and store nothing."""
    for module in (materials, choosing):
        monkeypatch.setattr(module, "PAGE", 1)
    content = BLANK[Kind.SCENARIO] | {"openings": ["One.", "Two."]}
    scenario = make_material(owner=ada.pk, kind=Kind.SCENARIO, name="The pier", content=content)
    character = import_character(owner=ada.pk, data=make.to_json(make.v2()))
    rows = {kind: [make_material(owner=ada.pk, kind=kind, name=f"N{number}") for number in range(2)]
            for kind in (Kind.PERSONA, Kind.LOREBOOK)}  # fmt: skip
    here = begin.format(scenario=scenario.pk, character=character.pk)
    persona, book = rows[Kind.PERSONA][1].pk, rows[Kind.LOREBOOK][1].pk
    typed = {"greeting": "1", "persona": "Mara “the <lamp>”", "as": str(persona), "books": str(book)}
    page = client.post(f"{here}?all", typed).content.decode()
    assert f'<option value="{persona}" selected>' in page
    assert f'name="books" value="{book}" checked>' in page
    assert 'value="Mara “the &lt;lamp&gt;”"' in page
    assert re.findall(r'name="greeting" value="(\d)" checked', page) == ["1"]
    assert len(re.findall(r'name="books" [^>]* checked', page)) == 1
    assert str(rows[Kind.PERSONA][0].pk) in page
    assert not Story.objects.exists()
    assert client.post(f"{here}?all", {"greeting": "x", "as": "y", "books": "z"}).status_code == 200


def test_nobody_else_is_answered(ada: User) -> None:
    """What is sent to the page of somebody else’s scenario or character is answered as if there were none."""
    scenario = make_material(owner=ada.pk, kind=Kind.SCENARIO, name="The pier")
    character = import_character(owner=ada.pk, data=make.to_json(make.v1()))
    ben = signed_in_client(make_person("ben"))
    for there in (f"/scenarios/{scenario.pk}/?all", f"/characters/{character.pk}/?all"):
        assert ben.post(there, {"persona": "Mara"}).status_code == 404


def test_the_enter_key_begins_and_opens_no_list(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser takes the first button of a form for it."""
    for module in (materials, choosing):
        monkeypatch.setattr(module, "PAGE", 1)
    for number in range(2):
        make_material(owner=ada.pk, kind=Kind.PERSONA, name=f"N{number}")
    page = client.get("/scenarios/dead-cable/").content.decode()
    form = page[page.index('action="/stories/"') :]
    assert "formaction" not in re.findall(r"<button[^>]*>", form)[0]


def test_a_page_with_all_of_them_says_where_it_ends(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "PAGE", 1)
    monkeypatch.setattr(choosing, "ALL", 2)
    for name in ("Ann", "Bea", "Cid"):
        make_material(owner=ada.pk, kind=Kind.PERSONA, name=name)
    page = client.get("/scenarios/dead-cable/?all").content.decode()
    assert "These are the newest 2 of 3." in page
    assert ">Ann<" not in page


@pytest.mark.parametrize("kind", Kind)
def test_what_cannot_be_opened_is_said_and_keeps_its_place(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    """A list with lost ones is as long as any, leads to the earlier ones, and lets the lost ones be deleted."""
    for module in (materials, pages):
        monkeypatch.setattr(module, "PAGE", 4)
    rows = [make_material(owner=ada.pk, kind=kind, name=f"Number {number}") for number in range(6)]
    for lost in (rows[2], rows[4]):
        destroy_item_key(lost.pk)
    page = client.get(f"/{kind}s/").content.decode()
    assert f"2 of these {kind}s can’t be opened any more: their keys are gone" in page
    assert page.count(f"A {kind} that can’t be opened") == 2
    assert "Number 5" in page
    assert "Number 3" in page
    assert f"?before={rows[2].pk}" in page
    earlier = client.get(f"/{kind}s/?before={rows[2].pk}").content.decode()
    assert "Number 1" in earlier
    assert "Number 0" in earlier
    assert "can’t be opened" not in earlier
    assert client.post(f"/{kind}s/{rows[2].pk}/trash/").status_code == 302
    assert "One of these" in client.get(f"/{kind}s/").content.decode()
    assert end_now(ada.pk, rows[2].pk)


def test_what_cannot_be_opened_is_not_offered_for_a_story(client: Client, ada: User) -> None:
    mara = make_material(owner=ada.pk, kind=Kind.PERSONA, name="Mara", content={"about": "A lamplighter."})
    gone = make_material(owner=ada.pk, kind=Kind.PERSONA, name="Gone", content={"about": "Nobody."})
    destroy_item_key(gone.pk)
    page = client.get("/scenarios/dead-cable/").content.decode()
    assert f'<option value="{mara.pk}">Mara</option>' in page
    assert str(gone.pk) not in page


def moment(minute: int) -> float:
    return datetime(2026, 5, 3, 14, minute, tzinfo=UTC).timestamp()


def test_two_of_one_name_are_told_apart(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists say of each when it was made; where a story is begun those say it that share a name, and no other."""
    for minute, name in ((2, "Mara"), (4, "Mara"), (6, "Bo")):
        monkeypatch.setattr(clock, "timestamp", partial(moment, minute))
        for kind in Kind:
            make_material(owner=ada.pk, kind=kind, name=name)
        import_character(owner=ada.pk, data=make.to_json(make.v1(name=name)))
    page = client.get("/scenarios/dead-cable/").content.decode()
    assert re.findall(r"<option [^>]*>((?:Mara|Bo)[^<]*)", page) == [
        "Bo",
        "Mara (3 May 2026, 14:04)",
        "Mara (3 May 2026, 14:02)",
    ]
    assert re.findall(r"<span>((?:Mara|Bo)[^<]*)", page) == [
        "Bo",
        "Mara (3 May 2026, 14:04)",
        "Mara (3 May 2026, 14:02)",
    ]
    for kind in ("character", *Kind):
        page = client.get(f"/{kind}s/").content.decode()
        assert re.findall(r'datetime="2026-05-03T14:(\d\d):00', page) == ["06", "06", "04", "04", "02", "02"]
