"""The pages of the library, as a browser meets them; `ada` owns, `cleo` may see nothing."""

from __future__ import annotations

import io
import struct
import tempfile
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.characters import import_character
from mindstage.library.models import Character
from mindstage.library.starters import starters
from mindstage.library.uploads import LIMIT
from mindstage.library.views import characters as views
from mindstage.vault.keys import KeyGone, destroy_item_key
from mindstage.vault.models import ItemKey
from people import make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.urls("library.urls_for_tests"),
]


@pytest.fixture
def ada(vault: None) -> User:
    return make_person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in_client(ada)


def painted(card: Any, keyword: str = "chara", size: tuple[int, int] = (64, 96)) -> bytes:
    """A card in a picture that is worth a portrait."""
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, "PNG")
    data = file.getvalue()
    return data[:33] + make.text_chunk(card, keyword) + data[33:]


def post(client: Client, data: bytes, name: str = "card.png", **headers: str) -> Any:
    return client.post("/characters/", {"card": SimpleUploadedFile(name, data)}, headers=headers)


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


def test_a_card_is_brought_and_shown(client: Client) -> None:
    """A dropped picture becomes a character page: name, notes, tags, openings to choose from, and a way to begin."""
    answer = post(client, painted(make.v3(), "ccv3"))
    row = Character.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/characters/{row.pk}/")
    page = text_of(client.get(answer["Location"]))
    for words in (
        "Hedda Quill",
        "By somebody",
        "For rainy evenings.",
        "bridge",
        "“Two coins, or a reason.”",
        "You again",
    ):
        assert words in page
    assert page.count('name="greeting"') == 3
    for index in range(3):
        assert f'name="greeting" value="{index}"' in page
    assert f'name="character" value="{row.pk}"' in page
    assert 'action="/stories/"' in page
    assert f'src="/characters/{row.pk}/portrait/"' in page
    assert "extensions" in page
    assert "toll gate" not in page  # what is for the narrator is not shown
    listed = text_of(client.get("/characters/"))
    assert "Hedda Quill" in listed
    assert "For rainy evenings." in listed


@pytest.mark.parametrize(
    ("reads", "words"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "Für Regen."),
        ("fr, de;q=0.3", "Für Regen."),
        ("en-GB,de;q=0.5", "For rainy evenings."),
        ("fr", "For rainy evenings."),
        ("", "For rainy evenings."),
        ("*;q=x,,;", "For rainy evenings."),
    ],
)
def test_the_notes_come_in_the_readers_language(client: Client, ada: User, reads: str, words: str) -> None:
    """V3: notes in several languages are shown by the browser's own; the plain ones count as English."""
    notes = {"DE": "Für Regen.", "it": 7, "es": ""}
    row = import_character(owner=ada.pk, data=make.to_json(make.v3(creator_notes_multilingual=notes)))
    page = text_of(client.get(f"/characters/{row.pk}/", headers={"Accept-Language": reads}))
    assert [said for said in ("Für Regen.", "For rainy evenings.") if said in page] == [words]


def test_what_an_import_had_to_say_is_on_the_page(client: Client) -> None:
    """A picture that is no portrait is said plainly; what is kept and not used can be read below."""
    post(client, make.png_card(make.v2()))
    page = text_of(client.get(f"/characters/{Character.objects.get().pk}/"))
    assert "too small to be a portrait" in page
    assert "Settings of other programs (extensions) are kept and not used." in page
    assert "/portrait/" not in page


def test_openings_are_expanded_and_harmless(client: Client) -> None:
    """Macros speak of the reader and the character; markup and scripts in a card do nothing."""
    greeting = "{{user}} meets {{char}}. <script>alert(1)</script> ![x](https://example.org/x.png)"
    post(client, make.to_json(make.v3(first_mes=greeting, creator_notes="<img src=x onerror=alert(1)>")), "c.json")
    page = text_of(client.get(f"/characters/{Character.objects.get().pk}/"))
    assert "You meets Hedda." in page
    for harm in ("<script>alert", "<img src=x", 'src="https'):
        assert harm not in page


def test_a_card_without_a_greeting_can_be_begun(client: Client) -> None:
    """There is always one opening, made from the scenario when the card has none."""
    post(client, make.to_json(make.v1(first_mes="")), "c.json")
    page = text_of(client.get(f"/characters/{Character.objects.get().pk}/"))
    assert "A bridge in rain." in page
    assert 'name="greeting" value="0"' in page


def test_very_many_and_very_long_openings_stay_readable(client: Client) -> None:
    """All openings can be chosen; the page shows the beginning of long ones."""
    post(client, make.to_json(make.v2(alternate_greetings=["[" * 3_000] * 300, first_mes="x" * 90_000)), "c.json")
    page = text_of(client.get(f"/characters/{Character.objects.get().pk}/"))
    assert page.count('name="greeting"') == 301
    assert len(page) < 500_000


DEEP = b'{"mes_example": ' + b"[" * 100_000
HUGE = b'{"mes_example": "", "x": [' + b"1," * 250_000 + b"1]}"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"GIF89a", "GIF", id="not a PNG"),
        pytest.param(b"\x89PNG\n\n\x1a\n" + b"x" * 99, "neither a PNG", id="not quite a PNG"),
        pytest.param(make.png(), "carries no character card", id="a mere picture"),
        pytest.param(make.png_card(make.v2())[:-20], "cut short", id="truncated"),
        pytest.param(
            make.png_card(make.v2()).replace(b"IEND\xaeB`\x82", b"IEND\xaeB`\x83"),
            "checksum does not fit",
            id="bad CRC",
        ),
        pytest.param(
            make.png(make.chunk(b"tEXt", b"chara\0" + b"A" * 10_000_000)), "more than 8 MiB", id="10 MB text chunk"
        ),
        pytest.param(make.png(make.chunk(b"zTXt", b"chara\0\0" + make.bomb(200))), "more than 8 MiB", id="packed bomb"),
        pytest.param(make.png(make.text_chunk(make.v2()), width=2**31 - 1, height=9), "8,192 pixels", id="pixel bomb"),
        pytest.param(make.png(make.text_chunk(make.v2()), width=8_000, height=8_000), "40 megapixels", id="40 MP"),
        pytest.param(DEEP, "nested deeper than 64", id="deep JSON"),
        pytest.param(HUGE, "more than 200,000 values", id="many values"),
        pytest.param(b"{" + b" " * (6 * 1024 * 1024), "larger than 5 MiB", id="huge JSON"),
        pytest.param(make.to_json(make.v2(name=["a"])), "“name” should be text", id="wrong type"),
        pytest.param(make.to_json(make.v2(tags="a")), "“tags” should be a list", id="wrong list"),
        pytest.param(make.to_json(make.v2(description="a\0b")), "a NUL character", id="NUL"),
        pytest.param(b'{"mes_example": "", "name": "\\ud800"}', "a lone surrogate", id="surrogate"),
        pytest.param(b'{"mes_example": "\xff"}', "not valid UTF-8", id="not UTF-8"),
        pytest.param(b'{"mes_example": NaN}', "NaN", id="NaN"),
    ],
)
def test_a_bad_card_is_refused_with_the_reason(client: Client, data: bytes, words: str) -> None:
    """Each is a 4xx that says what is wrong; nothing is stored, no key is made, and the next card is welcome."""
    answer = post(client, data, "Secret Name.card")
    assert answer.status_code == 422
    page = text_of(answer)
    assert words in page
    assert "Nothing was imported." in page
    assert "Secret Name" not in page
    asked_by_script = post(client, data, "Secret Name.card", **{"X-Partial": "1"})
    assert asked_by_script.status_code == 422
    assert words in asked_by_script.json()["say"]
    assert (Character.objects.count(), ItemKey.objects.count()) == (0, 0)
    assert post(client, make.to_json(make.v1()), "c.json").status_code == 302


def test_no_file_at_all(client: Client) -> None:
    """A form without a file says so."""
    answer = client.post("/characters/", {"card": "text"})
    assert answer.status_code == 422
    assert "Choose a card first" in text_of(answer)


@pytest.fixture
def no_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a temporary file was asked for")

    for name in ("NamedTemporaryFile", "TemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    monkeypatch.setattr("django.core.files.uploadedfile.TemporaryUploadedFile.__init__", refuse)


@pytest.mark.usefixtures("no_temporary_files")
def test_a_large_card_stays_in_memory(client: Client) -> None:
    """Nine megabytes, far above Django's own limit for memory, never touch the disk."""
    filler = make.chunk(b"prVt", b"\0" * 9_000_000)
    assert post(client, make.png(filler, make.text_chunk(make.v2()))).status_code == 302


@pytest.mark.usefixtures("no_temporary_files")
def test_a_file_that_is_too_large_is_cut_off(client: Client) -> None:
    """More than 20 MiB: dropped while it arrives, said with 413, and nothing on disk."""
    data = make.SIGNATURE + b"\0" * LIMIT
    answer = post(client, data)
    assert answer.status_code == 413
    assert "larger than 20 MB. Nothing was imported." in text_of(answer)
    assert post(client, data, **{"X-Partial": "1"}).json()["say"].startswith("This file is larger than 20 MB")
    two = {"card": [SimpleUploadedFile("a", make.to_json(make.v1())), SimpleUploadedFile("b", data)]}
    assert client.post("/characters/", two).status_code == 413
    assert Character.objects.count() == 0


def test_scripts_get_json(client: Client) -> None:
    """Who accepts JSON alone is told where the character is, or why there is none."""
    good = post(client, make.to_json(make.v1()), "c.json", Accept="application/json")
    assert (good.status_code, good.json()) == (201, {"location": f"/characters/{Character.objects.get().pk}/"})
    bad = post(client, b"x", "c.json", Accept="application/json")
    assert (bad.status_code, list(bad.json())) == (422, ["say"])


@pytest.mark.parametrize(("fault", "status"), [(DatabaseError(), 503), (KeyGone(), 409)])
def test_a_card_that_cannot_be_stored(
    client: Client, monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int
) -> None:
    """A full disk or an ended account is said in words on the same page."""

    def fail(**_: object) -> None:
        raise fault

    monkeypatch.setattr(views, "import_character", fail)
    answer = post(client, make.to_json(make.v1()), "c.json")
    assert answer.status_code == status
    assert "Nothing was imported." in text_of(answer)


def test_the_portrait_is_for_its_owner(client: Client) -> None:
    """WebP, never stored by the browser, able to do nothing; for cleo and for nobody it does not exist."""
    post(client, painted(make.v2()))
    row = Character.objects.get()
    address = f"/characters/{row.pk}/portrait/"
    picture = client.get(address)
    assert picture.content[:4] + picture.content[8:12] == b"RIFFWEBP"
    assert picture["Content-Type"] == "image/webp"
    assert picture["Cache-Control"] == "no-store"
    assert picture["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert picture["X-Content-Type-Options"] == "nosniff"
    assert struct.unpack("<I", picture.content[4:8])[0] == len(picture.content) - 8
    cleo = signed_in_client(make_person("cleo"))
    for visitor, status in ((cleo, 404), (Client(), 302)):
        assert visitor.get(address).status_code == status
    assert Client().get(address, headers={"Sec-Fetch-Dest": "image"}).status_code == 403


def test_cleo_sees_nothing(client: Client, ada: User) -> None:
    """Another's character is not there: not its page, not its portrait, not in a list."""
    row = import_character(owner=ada.pk, data=make.to_json(make.v2()))
    cleo = signed_in_client(make_person("cleo"))
    for address in (f"/characters/{row.pk}/", f"/characters/{row.pk}/portrait/", f"/characters/{uuid.uuid4()}/"):
        answer = cleo.get(address)
        assert answer.status_code == 404
        assert "Hedda" not in text_of(answer)
    assert "Hedda" not in text_of(cleo.get("/characters/"))
    assert "Hedda" not in text_of(cleo.get(f"/characters/?before={uuid.UUID(int=2**128 - 1)}"))
    assert client.get(f"/characters/{row.pk}/portrait/").status_code == 404  # a JSON card has none


def test_only_people_who_are_signed_in(vault: None) -> None:
    """Pages lead to the door, a posted card is refused, and nothing is stored."""
    visitor = Client()
    for address in ("/characters/", "/characters/new/", f"/characters/{uuid.uuid4()}/"):
        answer = visitor.get(address)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/session/new/")
    assert post(visitor, make.to_json(make.v1())).status_code == 403
    assert Character.objects.count() == 0


def test_a_forged_form_is_refused(ada: User) -> None:
    """Without the token of the page no card is taken."""
    assert post(signed_in_client(ada, enforce_csrf_checks=True), make.to_json(make.v1())).status_code == 403
    assert Character.objects.count() == 0


def test_the_list_is_paged(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full page offers the earlier ones; an odd address is a 404."""
    for module in ("mindstage.library.characters", "mindstage.library.views.characters"):
        monkeypatch.setattr(f"{module}.PAGE", 1)
    first = import_character(owner=ada.pk, data=make.to_json(make.v1(name="First")))
    second = import_character(owner=ada.pk, data=make.to_json(make.v1(name="Second")))
    page = text_of(client.get("/characters/"))
    assert "Second" in page
    assert "First" not in page
    assert f"?before={second.pk}" in page
    assert "First" in text_of(client.get(f"/characters/?before={second.pk}"))
    assert client.get(f"/characters/?before={first.pk}x").status_code == 404


def test_an_empty_library(client: Client) -> None:
    """It invites, and leads to the page where a card is dropped."""
    assert 'href="/characters/new/"' in text_of(client.get("/characters/"))
    assert 'enctype="multipart/form-data"' in text_of(client.get("/characters/new/"))


def test_the_number_of_queries(client: Client, ada: User, django_assert_max_num_queries: Any) -> None:
    """A list of ten costs what a list of one does, keys aside."""
    for _ in range(10):
        import_character(owner=ada.pk, data=make.to_json(make.v1()))
    client.get("/characters/")
    with django_assert_max_num_queries(3):
        client.get("/characters/")


@pytest.mark.parametrize("slug", [each.slug for each in starters()])
def test_a_scenario_is_open_to_everybody(vault: None, slug: str) -> None:
    """Without an account the page shows the scenario and leads to the door, and back here afterwards."""
    found = next(each for each in starters() if each.slug == slug)
    answer = Client().get(f"/scenarios/{slug}/")
    page = text_of(answer)
    assert answer.status_code == 200
    assert found.title in page.replace("&#x27;", "'")
    assert f"/account/new/?next=/scenarios/{slug}/" in page
    assert page.count('name="greeting"') == len(found.openings)
    assert "{{" not in page
    for member in found.cast:
        assert member.description[:60] not in page
    for entry in found.lore:
        assert entry.content[:60] not in page
    assert not answer.cookies.get("session")


def test_a_scenario_for_somebody_who_is_signed_in(client: Client) -> None:
    """The button begins."""
    page = text_of(client.get(f"/scenarios/{starters()[0].slug}/"))
    assert ">Begin</button>" in page
    assert 'name="persona"' in page
    assert Client().get("/scenarios/nothing-of-that-name/").status_code == 404


def test_a_list_shows_the_picture_that_a_card_brought(client: Client) -> None:
    """Its own portrait where there is one, a drawn face where there is none."""
    post(client, painted(make.v2(name="Painted")))
    post(client, make.to_json(make.v2(name="Drawn")), name="card.json")
    page = text_of(client.get("/characters/"))
    painted_one = Character.objects.get(portrait__isnull=False)
    assert page.count("/portrait/") == 1
    assert f"/characters/{painted_one.pk}/portrait/" in page


def test_a_character_whose_key_is_gone_is_said_and_keeps_its_place(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for personas, lorebooks and scenarios (test_materials.py); the desk shows those that can be played."""
    for module in ("mindstage.library.characters", "mindstage.library.views.characters"):
        monkeypatch.setattr(f"{module}.PAGE", 2)
    rows = [import_character(owner=ada.pk, data=make.to_json(make.v1(name=name))) for name in ("Ann", "Bea", "Cid")]
    destroy_item_key(rows[1].pk)
    page = text_of(client.get("/characters/"))
    assert "One of these characters can’t be opened any more" in page
    assert f'action="/characters/{rows[1].pk}/trash/"' in page
    assert f"?before={rows[1].pk}" in page
    assert "can’t be opened" not in text_of(client.get(f"/characters/?before={rows[1].pk}"))
    assert str(rows[1].pk) not in text_of(client.get("/"))
