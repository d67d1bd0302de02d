"""What an export looks like to other programs does not change by accident: it is compared with files made once.

A change that is meant: `FREEZE_EXPORTS=1 bin/test tests/rights/test_frozen_exports.py` makes them anew; then run
bin/interop, and read what changed. Every identifier and date of the sample is given, so that nothing differs by chance.
"""

from __future__ import annotations

import io
import os
import uuid
import zipfile
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from interop.make_samples import HARD
from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.characters import import_character
from mindstage.library.lorebooks import keep_book_of
from mindstage.library.materials import make_material
from mindstage.library.models import Character
from mindstage.stories.keeping import keep_as_scenario
from mindstage.stories.models import Segment, Story, Turn
from mindstage.vault.keys import create_item_key
from people import make_person
from rights.takeouts import take_out, unzip
from stories.scenes import STAGE

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])

FROZEN = Path(__file__).parent / "frozen"
BEGAN = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
COMPARED = ("stories/", "characters/", "lorebooks/")
CHOSEN_BY_CHANCE = {"character.json", "material.json", "portrait.webp"}
"""They hold the identifier of the account's own row, or pixels; docs/schemas has the form of the first."""


def at(minute: int) -> uuid.UUID:
    """The identifier (UUIDv7) of something made `minute` minutes after the story began."""
    milliseconds = int((BEGAN + timedelta(minutes=minute)).timestamp() * 1000)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | minute)


def write_story(owner: User) -> None:
    """Every kind of turn and of Markdown, a second version, one in the trash, and a branch."""
    story = Story(pk=at(0), owner=owner, played_at=BEGAN + timedelta(days=1))
    create_item_key(story.pk, owner=owner.pk)
    story.seal(title='The Lamp & "more"', stage=STAGE.to_bytes()).save(force_insert=True)
    root = Segment.objects.create(pk=at(1), story=story)
    branch = Segment.objects.create(pk=at(50), story=story, parent=root, fork=2)
    kinds = [Turn.Kind.OPENING, Turn.Kind.DO, Turn.Kind.REPLY, Turn.Kind.SAY, Turn.Kind.STORY, Turn.Kind.OOC]
    for position, kind in enumerate(kinds):
        write_turn(root, at(2 + position), position, HARD[position % len(HARD)], kind=kind)
    write_turn(root, at(20), 2, "Another wording of it.", kind=Turn.Kind.REPLY, variant=1, chosen=False, edited=True)
    write_turn(root, at(21), 6, "Thrown away.", kind=Turn.Kind.REPLY, trashed_at=BEGAN + timedelta(hours=1))
    write_turn(branch, at(51), 2, "It went the other way.", kind=Turn.Kind.REPLY, state=Turn.State.STOPPED)
    story.head = root
    story.save(update_fields=["head"])


def write_turn(segment: Segment, ident: uuid.UUID, position: int, text: str, **more: Any) -> None:
    turn = Turn(pk=ident, story_id=segment.story_id, segment=segment, position=position, **more)
    turn.seal(text=text).save(force_insert=True)


def with_picture(card: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 24), "teal").save(out, "PNG")
    end = make.chunk(b"IEND", b"")
    return out.getvalue().removesuffix(end) + make.text_chunk(card) + end


@pytest.fixture
def made(vault: None) -> dict[str, bytes]:
    """What is compared, by name."""
    ada = make_person("ada")
    write_story(ada)
    for card in (make.v2(), make.v3()):
        import_character(owner=ada.pk, data=with_picture(card))
        keep_book_of(Character.objects.filter(owner=ada).latest("id"))
    make_material(owner=ada.pk, kind="persona", name="Mara", content={"about": "A lamplighter."})
    keep_as_scenario(Story.objects.get(owner=ada))
    files = unzip(take_out(ada))
    return {
        name.replace("/", "_"): content
        for name, content in files.items()
        if name.startswith(COMPARED) and name.rpartition("/")[2] not in CHOSEN_BY_CHANCE
    }


def in_words(name: str, content: bytes) -> Any:
    """What must stay. A book by its files, a picture by all but its pixels: other versions pack both differently."""
    if name.endswith(".epub"):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            return [(file.filename, file.compress_type, book.read(file)) for file in book.infolist()]
    return [chunk for chunk in chunks(content) if chunk[0] != b"IDAT"] if name.endswith(".png") else content


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(make.SIGNATURE)
    while at < len(png):
        length = int.from_bytes(png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert int.from_bytes(png[at + 8 + length : at + 12 + length]) == zlib.crc32(kind + body)
        found.append((kind, body))
        at += 12 + length
    return found


def test_an_export_is_what_it_was(made: dict[str, bytes]) -> None:
    """Chats, books, Markdown, HTML, cards of both versions and the data files: byte for byte those made once."""
    if os.environ.get("FREEZE_EXPORTS"):
        for old in FROZEN.glob("*"):
            old.unlink()
        FROZEN.mkdir(exist_ok=True)
        for name, content in made.items():
            (FROZEN / name).write_bytes(content)
    frozen = {path.name: path.read_bytes() for path in FROZEN.iterdir()}
    assert sorted(made) == sorted(frozen)
    for name, content in made.items():
        assert in_words(name, content) == in_words(name, frozen[name]), name


def test_every_form_is_frozen() -> None:
    """None of the forms that other programs read is missing, and all together are small."""
    names = {path.name for path in FROZEN.iterdir()}
    for ending in (".jsonl", ".epub", ".md", ".html", "card-v2.json", "card-v3.json", "card.png", "lorebook.json"):
        assert any(name.endswith(ending) for name in names), ending
    assert sum(path.stat().st_size for path in FROZEN.iterdir()) < 100_000
