"""What a person takes out: complete, readable by other programs, and signed."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from PIL import Image, ImageChops, ImageStat

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.cards import read_card
from mindstage.library.characters import import_character
from mindstage.rights import export
from mindstage.rights.export import ExportRefused
from mindstage.stories.models import Turn
from mindstage.vault.purposes import Purpose
from people import make_person
from rights.takeouts import empty_exports, one, play, take_out, turns_of, unzip
from stories.scenes import add_turns, make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    """She asks; afterwards the folder is empty again."""
    yield make_person("ada")
    empty_exports()


def test_an_export_holds_every_turn_and_version(ada: User) -> None:
    """JSON: the trash, each version and each branch, as they lie in the database."""
    story = play(ada)
    turns = turns_of(unzip(take_out(ada)))
    assert len(turns) == Turn.objects.filter(story=story).count() == 12
    assert [turn["trashed_at"] is not None for turn in turns].count(True) == 1
    assert {turn["text"] for turn in turns} >= {"Line 0 of the story.", "Line 7 of the story."}
    assert sum(turn["edited"] for turn in turns) == 1


def test_nobody_elses_things_are_in_it(ada: User) -> None:
    """Cleo's story is not in Ada's archive."""
    make_story(make_person("cleo"), turns=3)
    assert not turns_of(unzip(take_out(ada)))


def test_the_manifest_lists_and_signs_every_file(ada: User) -> None:
    """SHA-256 of each file, and a signature that the published key checks."""
    play(ada)
    files = unzip(take_out(ada))
    manifest = json.loads(files["manifest.json"])
    listed = {line["path"]: line for line in manifest["files"]}
    assert listed.keys() == files.keys() - {"manifest.json", "signature.json"}
    for name, line in listed.items():
        assert line["sha256"] == hashlib.sha256(files[name]).hexdigest()
        assert line["bytes"] == len(files[name])
    signature = json.loads(files["signature.json"])
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature["key"]))
    key.verify(base64.b64decode(signature["signature"]), files["manifest.json"])


def test_the_readable_editions_tell_the_played_line(ada: User) -> None:
    """Markdown and HTML hold the line that is played, with chosen versions, and nothing that runs."""
    play(ada)
    files = unzip(take_out(ada))
    words, page = one(files, "story.md").decode(), one(files, "story.html").decode()
    for text in (words, page):
        assert "Line 3 of the story." in text
        assert "Line 6 of the story." in text
        assert "Line 7" not in text
    assert "Another *wording* <b>of</b>" in words
    assert "<b>" not in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_book_is_a_valid_epub(ada: User) -> None:
    """EPUB 3: the type first and stored, a container, a package whose every item is there, well-formed pages."""
    story = play(ada)
    assert story.head
    add_turns(story, story.head, first=7, count=120)
    book = one(unzip(take_out(ada)), "story.epub")
    assert book[30:58] == b"mimetypeapplication/epub+zip"
    with zipfile.ZipFile(io.BytesIO(book)) as opened:
        first = opened.infolist()[0]
        assert (first.filename, first.compress_type, first.flag_bits & 8) == ("mimetype", zipfile.ZIP_STORED, 0)
        ElementTree.fromstring(opened.read("META-INF/container.xml"))
        package = ElementTree.fromstring(opened.read("EPUB/package.opf"))
        items = {item.get("id"): item.get("href") for item in package.iter("{http://www.idpf.org/2007/opf}item")}
        spine = [item.get("idref") for item in package.iter("{http://www.idpf.org/2007/opf}itemref")]
        assert set(spine) <= items.keys()
        assert {f"EPUB/{href}" for href in items.values()} == {
            name for name in opened.namelist() if name.startswith("EPUB/") and not name.endswith(".opf")
        }
        pages = [opened.read(name) for name in opened.namelist() if name.endswith(".xhtml")]
        for page in pages:
            ElementTree.fromstring(page.replace(b"<!DOCTYPE html>", b""))
        assert len(spine) == 3
        assert b"Line 126 of the story." in b"".join(pages)


def read_lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def test_chats_lose_no_branch_and_no_version(ada: User) -> None:
    """One file for each leaf; versions are swipes, one of them shown; narration is marked so that readers keep it."""
    play(ada)
    files = unzip(take_out(ada))
    chats = {
        name: [json.loads(line) for line in content.splitlines()] for name, content in files.items() if ".jsonl" in name
    }
    assert len(chats) == 2
    played = next(lines for name, lines in chats.items() if "played" in name)
    other = next(lines for name, lines in chats.items() if "played" not in name)
    assert played[0]["user_name"] == "unused"
    assert [line["mes"] for line in other[1:]][-1] == "Line 6 of the story."
    edited = next(line for line in played[1:] if len(line["swipes"]) == 2)
    assert edited["mes"] == edited["swipes"][edited["swipe_id"]]
    assert len(edited["swipe_info"]) == 2
    narration = [line for line in played[1:] if not line["is_user"]]
    assert all(line["extra"]["type"] == "narrator" for line in narration)
    assert not any(line["is_system"] for line in played[1:])


@pytest.mark.parametrize("card", [make.v1(), make.v2(), make.v3()])
def test_characters_come_out_as_cards(ada: User, card: dict[str, object]) -> None:
    """The card as it came; V2 and V3 that our own reader takes; a picture that carries both."""
    import_character(owner=ada.pk, data=make.to_json(card))
    files = unzip(take_out(ada))
    assert json.loads(one(files, "card.json")) == card
    assert read_card(one(files, "card-v2.json")).spec == "v2"
    assert read_card(one(files, "card-v3.json")).spec == "v3"
    picture = one(files, "card.png")
    assert "twice" in " ".join(read_card(picture).notices)
    with Image.open(io.BytesIO(picture)) as opened:
        assert {"chara", "ccv3"} <= set(opened.text)  # type: ignore[attr-defined]


OWED_BY_AN_ENTRY = {
    "keys": list,
    "content": str,
    "extensions": dict,
    "enabled": bool,
    "insertion_order": int,
    "use_regex": bool,
}


@pytest.mark.parametrize("card", [make.v2, make.v3])
def test_a_lorebook_comes_out_whole(ada: User, card: Callable[..., dict[str, Any]]) -> None:
    """A V3 book: what the format asks for is there, and every field, unknown key and entry of the card's own book."""
    book = make.BOOK | {"scan_depth": 7, "a_key_of_nobody": {"x": [1]}}
    bare = {
        "keys": ["rain"],
        "content": "@@depth 2\nIt rains.",
        "use_regex": True,
        "enabled": False,
        "extensions": None,
    }
    book["entries"] = [*make.BOOK["entries"], bare, {"key": ["fog"], "order": 3, "disable": True}]
    import_character(owner=ada.pk, data=make.to_json(card(character_book=book)))
    exported = json.loads(one(unzip(take_out(ada)), "lorebook.json"))
    data = exported["data"]
    assert exported.keys() == {"spec", "data"}
    assert exported["spec"] == "lorebook_v3"
    assert data | {"entries": []} == book | {"entries": []}
    for entry in data["entries"]:
        assert {name: type(entry[name]) for name in OWED_BY_AN_ENTRY} == OWED_BY_AN_ENTRY
    first, second, third = data["entries"]
    assert first == make.BOOK["entries"][0] | {"use_regex": False}
    assert second == bare | {"extensions": {}, "insertion_order": 100}
    assert (third["keys"], third["insertion_order"], third["enabled"]) == (["fog"], 3, False)


def test_a_character_without_a_book_has_no_lorebook(ada: User) -> None:
    import_character(owner=ada.pk, data=make.to_json(make.v1()))
    assert not [name for name in unzip(take_out(ada)) if name.endswith("lorebook.json")]


def test_the_portrait_is_the_picture_that_came(ada: User) -> None:
    """The exported WebP shows what the uploaded PNG showed, as far as a lossy picture can; and so does the card."""
    picture = Image.linear_gradient("L").resize((300, 450))
    picture = Image.merge("RGB", (picture, picture.transpose(Image.Transpose.ROTATE_180), picture.point([77] * 256)))
    out = io.BytesIO()
    picture.save(out, "PNG")
    end = make.chunk(b"IEND", b"")
    data = out.getvalue().removesuffix(end) + make.text_chunk(make.v2()) + end
    character = import_character(owner=ada.pk, data=data)
    files = unzip(take_out(ada))
    portrait = one(files, "portrait.webp")
    assert portrait == character.open_bytes("portrait", Purpose.EXPORT)
    for content, kind in ((portrait, "WEBP"), (one(files, "card.png"), "PNG")):
        with Image.open(io.BytesIO(content), formats=[kind]) as opened:
            assert opened.size == picture.size
            assert difference(opened.convert("RGB"), picture) < 4
            assert difference(opened.convert("RGB"), picture.transpose(Image.Transpose.ROTATE_180)) > 40


def difference(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures lie apart on average, of 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def test_an_archive_may_be_for_an_age_key(ada: User) -> None:
    """Only the holder of the key opens it; and what is no key is refused before anything begins."""
    play(ada)
    holder = pyrage.x25519.Identity.generate()
    archive = take_out(ada, recipient=str(holder.to_public()))
    assert archive.startswith(b"age-encryption.org/v1")
    assert turns_of(unzip(pyrage.decrypt(archive, [holder])))
    with pytest.raises(ExportRefused):
        export.request_export(owner=ada.pk, recipient="age1nothing")
