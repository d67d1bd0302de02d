"""What a person takes out: complete, readable by other programs, signed, and sealed while it waits."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from PIL import Image, ImageChops, ImageStat

from library import card_makers as make
from mindstage.accounts.models import Notice, User
from mindstage.accounts.notices import notify
from mindstage.kit import clock
from mindstage.library.cards import read_card
from mindstage.library.characters import import_character
from mindstage.rights import export, pipes
from mindstage.rights.export import ExportRefused
from mindstage.rights.export_models import Export
from mindstage.stories import revisions
from mindstage.stories.models import Story, Turn
from mindstage.stories.trash import trash_story
from mindstage.vault.keys import destroy_item_key
from mindstage.vault.models import ItemKey
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Sealed, Unreadable
from people import make_person
from rights.takeouts import one, take_out, turns_of, unzip
from stories.scenes import add_turns, fork, make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    """She asks; afterwards the folder is empty again."""
    yield make_person("ada")
    for path in export.folder().glob("*"):
        path.unlink()


def play(ada: User) -> Story:
    """A story with versions, a branch, and a turn in the trash."""
    story = make_story(ada, turns=8)
    turn = Turn.objects.get(story=story, position=2)
    revisions.add_version(turn=turn, text="Another *wording* <b>of</b> the line \x0b & more.")
    revisions.trash_turn(turn=Turn.objects.get(story=story, position=7))
    assert story.head
    branch = fork(story, parent=story.head, at=4, count=3)
    assert branch.parent_id
    return story


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


def test_one_export_a_day_and_gone_after_it(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is refused; after 24 hours file, key and row are gone and another may be asked for."""
    play(ada)
    asked = export.request_export(owner=ada.pk)
    with pytest.raises(ExportRefused):
        export.request_export(owner=ada.pk)
    export.write_export(asked.pk)
    sealed = export.path_of(asked.pk).read_bytes()
    assert b"Line 3" not in sealed
    assert b"PK" not in sealed[:16]
    with clock.moved(timedelta(hours=23, minutes=59)):
        assert export.purge_old_exports() == 0
        assert export.find_ready(ada.pk, asked.pk)
    with clock.moved(timedelta(hours=24, seconds=1)):
        assert export.find_ready(ada.pk, asked.pk) is None
        assert export.purge_old_exports() == 1
        assert not export.path_of(asked.pk).exists()
        assert not ItemKey.objects.using("keystore").filter(pk=asked.pk).exists()
        export.request_export(owner=ada.pk)


def test_a_wall_that_was_ahead_keeps_no_export_longer(ada: User) -> None:
    """Asked for and written 40 days in the future: both its day and the wait for the next one end a day from now."""
    play(ada)
    with clock.moved(timedelta(days=40)):
        asked = export.request_export(owner=ada.pk)
        export.write_export(asked.pk)
    with pytest.raises(ExportRefused):
        export.request_export(owner=ada.pk)
    assert export.purge_old_exports() == 0
    assert export.find_ready(ada.pk, asked.pk)
    with clock.moved(timedelta(hours=24, seconds=1)):
        assert export.request_export(owner=ada.pk)
        assert export.purge_old_exports() == 1
        assert not export.path_of(asked.pk).exists()


def test_a_wall_that_was_ahead_stops_no_export_half_way(ada: User) -> None:
    """A worker that was killed in a wrong future is followed by another within minutes, not after weeks."""
    play(ada)
    asked = export.request_export(owner=ada.pk)
    with clock.moved(timedelta(days=40)):
        Export.objects.filter(pk=asked.pk).update(state=Export.State.WRITING, touched_at=clock.now())
    with pytest.raises(export.StillWriting):
        export.write_export(asked.pk)
    with clock.moved(timedelta(minutes=2)):
        export.write_export(asked.pk)
        assert export.find_ready(ada.pk, asked.pk)


def test_a_killed_worker_leaves_nothing_half_done(ada: User) -> None:
    """Its job comes again: not while it may still be at work, and then from the beginning."""
    play(ada)
    asked = export.request_export(owner=ada.pk)
    Export.objects.filter(pk=asked.pk).update(state=Export.State.WRITING, touched_at=clock.now())
    with pytest.raises(export.StillWriting):
        export.write_export(asked.pk)
    with clock.moved(timedelta(minutes=2)):
        export.write_export(asked.pk)
        assert export.find_ready(ada.pk, asked.pk)
        export.write_export(asked.pk)


def test_progress_rises_to_the_total(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's figures: nothing done at first, then more and more, and all of as many as there are in the end."""
    play(ada)
    make_story(ada, turns=3)
    import_character(owner=ada.pk, data=make.to_json(make.v2()))
    trash_story(story=make_story(ada, turns=1))
    asked, seen, listed = export.request_export(owner=ada.pk), [], export.list_files
    Story.objects.filter(pk=make_story(ada).pk).update(trashed_on=clock.today(), ending=True)

    def slowly(*given: Any) -> Iterator[Any]:
        for event in listed(*given):
            yield event
            seen.append(Export.objects.values_list("things_done", "things").get(pk=asked.pk))
            stack.enter_context(clock.moved(timedelta(seconds=3)))

    monkeypatch.setattr(export, "list_files", slowly)
    with ExitStack() as stack:
        export.write_export(asked.pk)
    done, total = Export.objects.values_list("things_done", "things").get(pk=asked.pk)
    figures = [number for number, _ in seen]
    assert done == total == export.count_things(ada.pk) == figures[-1]
    assert {things for _, things in seen} == {total}
    assert figures == sorted(figures)
    assert set(figures) == set(range(total + 1))


def test_a_short_export_ends_at_its_total_too(ada: User) -> None:
    """One that never had to say that it is at work."""
    asked = export.request_export(owner=ada.pk)
    export.write_export(asked.pk)
    row = Export.objects.get(pk=asked.pk)
    assert row.things_done == row.things == export.count_things(ada.pk)


@pytest.mark.parametrize("whole", [True, False], ids=["has written it", "is at it"])
def test_a_worker_that_was_taken_over_touches_nothing(ada: User, monkeypatch: pytest.MonkeyPatch, whole: bool) -> None:
    """It slept in the middle of its work; the other’s file, row and key stay as they are, and its own draft goes."""
    play(ada)
    asked, listed, others = export.request_export(owner=ada.pk), export.list_files, []

    def sleeping(*given: Any) -> Iterator[Any]:
        for event in listed(*given):
            yield event
            if not others and getattr(event, "name", "").startswith("stories/"):
                with clock.moved(timedelta(minutes=2)):
                    others.append(True)
                    others.append(export.write_export(asked.pk) if whole else export._claim(asked.pk))
                    others.append(Export.objects.get(pk=asked.pk).touched_at)

    monkeypatch.setattr(export, "list_files", sleeping)
    export.write_export(asked.pk)
    row = Export.objects.get(pk=asked.pk)
    assert row.touched_at == others[2]
    assert row.state == (Export.State.READY if whole else Export.State.WRITING)
    assert ItemKey.objects.using("keystore").filter(pk=asked.pk).exists()
    assert [path.suffix for path in export.folder().glob("*")] == ([".export"] if whole else [])
    if whole:
        content = b"".join(export.read_export(row))
        assert len(content) == row.size
        assert len(turns_of(unzip(content))) == 12


def test_each_piece_is_a_sign_of_life(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A story that takes many minutes is not taken over in the middle of its file."""
    story = make_story(ada, turns=3)
    assert story.head
    asked, listed, refused = export.request_export(owner=ada.pk), export.list_files, []

    def slowly(*given: Any) -> Iterator[Any]:
        for event in listed(*given):
            if isinstance(event, bytes):
                for piece in (event[:1], event[1:2], event[2:]):
                    stack.enter_context(clock.moved(timedelta(seconds=50)))
                    yield piece
                    with pytest.raises(export.StillWriting):
                        export.write_export(asked.pk)
                    refused.append(piece)
            else:
                yield event

    monkeypatch.setattr(export, "list_files", slowly)
    with ExitStack() as stack:
        export.write_export(asked.pk)
        assert export.find_ready(ada.pk, asked.pk)
    assert len(refused) > 30


def test_a_full_disk_fails_in_words_and_leaves_nothing(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file stays, the row says so, and the person may ask again at once."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    asked = export.request_export(owner=ada.pk)
    monkeypatch.setattr(export.os, "fsync", full)
    export.write_export(asked.pk)
    assert Export.objects.get(pk=asked.pk).state == Export.State.FAILED
    assert not list(export.folder().glob("*"))
    monkeypatch.undo()
    export.request_export(owner=ada.pk)


def test_an_export_that_falls_keeps_nobody_waiting_for_a_day(ada: User) -> None:
    """A text of the account does not open: the row says so, the job says of what kind it was, she may ask again."""
    notify(account=ada, text="Something was changed.")
    row = Notice.objects.latest("made_on")
    Notice.objects.filter(pk=row.pk).update(text=Sealed(bytes(row.text)[:-1] + b"?"))
    asked = export.request_export(owner=ada.pk)
    with pytest.raises(Unreadable):
        export.write_export(asked.pk)
    assert Export.objects.get(pk=asked.pk).state == Export.State.FAILED
    assert not list(export.folder().glob("*"))
    export.write_export(asked.pk)
    export.request_export(owner=ada.pk)


def test_an_account_that_ends_meanwhile_ends_its_export(ada: User) -> None:
    """The row is gone when the job comes, or its key is: nothing is written and nothing fails."""
    play(ada)
    asked = export.request_export(owner=ada.pk)
    ItemKey.objects.using("keystore").filter(pk=asked.pk).delete()
    from mindstage.vault.keys import forget_keys

    forget_keys()
    export.write_export(asked.pk)
    assert not list(export.folder().glob("*.export"))
    Export.objects.all().delete()
    export.write_export(asked.pk)


def test_an_erasure_ends_a_running_export(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that die while it is written: it stops within a page, and leaves neither file nor key."""
    story = play(ada)
    asked = export.request_export(owner=ada.pk)
    listed = export.list_files

    def ending(*given: Any) -> Iterator[Any]:
        for event in listed(*given):
            yield event
            if getattr(event, "name", "").startswith("stories/"):
                destroy_item_key(story.pk)

    monkeypatch.setattr(export, "list_files", ending)
    export.write_export(asked.pk)
    assert not list(export.folder().glob("*"))
    assert not ItemKey.objects.using("keystore").filter(pk=asked.pk).exists()
    monkeypatch.undo()
    export.write_export(export.request_export(owner=ada.pk).pk)
    assert len(list(export.folder().glob("*.export"))) == 1


def test_a_faulty_pipe_ends_both_threads() -> None:
    """Whichever side fails, the other ends, and the failure comes out where the export was begun."""

    def fail() -> Iterator[bytes]:
        yield b"a"
        raise KeyError

    def leave(items: Iterator[bytes]) -> None:
        next(items)
        raise OSError("gone")

    with pytest.raises(KeyError):
        pipes.feed(fail(), lambda items: list(items))
    with pytest.raises(OSError, match="gone"):
        pipes.feed((b"a" for _ in range(100)), leave)
