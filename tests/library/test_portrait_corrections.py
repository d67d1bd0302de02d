"""A character's picture can be another one, or none; what is no picture changes nothing."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.characters import import_character
from mindstage.library.models import Character
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> User:
    return make_person("ada")


@pytest.fixture
def character(ada: User) -> Character:
    """One without a picture."""
    return import_character(owner=ada.pk, data=make.to_json(make.v2()))


def png(colour: str, size: tuple[int, int] = (64, 96)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def send(client: Client, character: Character, content: bytes) -> tuple[int, str]:
    file = SimpleUploadedFile("picture.png", content, "image/png")
    answer = client.post(f"/characters/{character.pk}/picture/", {"picture": file})
    return answer.status_code, answer.content.decode()


def shown(client: Client, character: Character) -> bytes | None:
    answer = client.get(f"/characters/{character.pk}/portrait/")
    return answer.content if answer.status_code == 200 else None


def test_another_picture_takes_the_place_of_the_first(ada: User, character: Character) -> None:
    """Given where there was none, then over what was there, then taken away; the pages lead there."""
    client = signed_in_client(ada)
    there = f"/characters/{character.pk}/picture/"
    assert f'href="{there}"' in client.get(f"/characters/{character.pk}/").content.decode()
    assert "Have no picture" not in client.get(there).content.decode()
    assert send(client, character, png("teal"))[0] == 302
    first = shown(client, character)
    assert first
    assert first.startswith(b"RIFF")
    assert "Have no picture" in client.get(there).content.decode()
    assert send(client, character, png("maroon"))[0] == 302
    assert shown(client, character) not in (None, first)
    row = Character.objects.get(pk=character.pk)
    assert row.portrait is not None
    assert b"RIFF" not in bytes(row.portrait)
    assert row.open("name", Purpose.SHOW) == character.open("name", Purpose.SHOW)
    assert client.post(there, {"remove": "1"}).status_code == 302
    assert shown(client, character) is None


@pytest.mark.parametrize("content", [b"", b"GIF89a", png("teal")[:60], png("teal", (8, 8)), b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_changes_nothing(content: bytes, ada: User, character: Character) -> None:
    """Another format, cut short, too small or empty: said in a sentence, and the present one stays."""
    client = signed_in_client(ada)
    send(client, character, png("teal"))
    before = shown(client, character)
    status, page = send(client, character, content)
    assert (status, "The portrait is as it was." in page) == (422, True)
    assert shown(client, character) == before
    assert client.post(f"/characters/{character.pk}/picture/").status_code == 422


def test_cleo_changes_no_picture(character: Character) -> None:
    """Another's character is not there, and a stranger is shown the door."""
    cleo, there = signed_in_client(make_person("cleo")), f"/characters/{character.pk}/picture/"
    assert cleo.get(there).status_code == 404
    assert send(cleo, character, png("teal"))[0] == 404
    assert cleo.post(there, {"remove": "1"}).status_code == 404
    assert send(Client(), character, png("teal"))[0] == 403
    assert Character.objects.get(pk=character.pk).portrait is None
