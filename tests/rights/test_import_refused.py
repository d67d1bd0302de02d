"""Archives that are harmed, foreign or meant to harm: refused in words, with nothing written."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, ClassVar

import pyrage
import pytest

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.datamap.porting import NotUnderstood
from mindstage.library.characters import import_character
from mindstage.library.models import Character
from mindstage.rights import archive
from mindstage.rights.export_models import KeptFile
from mindstage.stories.bringing import check_stories
from mindstage.stories.editions.data import STORY
from mindstage.stories.models import Story, Turn
from mindstage.vault.purposes import Purpose
from people import make_person
from rights.takeouts import bring, empty_exports, rezip, take_out, turns_of, unzip
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    """She asks; afterwards the folder is empty again."""
    yield make_person("ada")
    empty_exports()


def nothing_came_in(person: User, content: bytes) -> str:
    with pytest.raises(NotUnderstood) as refused:
        bring(person, content)
    assert not Story.objects.filter(owner=person).exists()
    assert not Character.objects.filter(owner=person).exists()
    assert not KeptFile.objects.filter(owner=person).exists()
    return refused.value.sentence


@pytest.mark.parametrize("ending", ["turns-0001.json", "story.json", "story.md", "card.json", "story.epub"])
def test_a_changed_file_is_refused(ada: User, ending: str) -> None:
    """One byte more in any file, data or edition: refused before anything is written."""
    make_story(ada, turns=3)
    import_character(owner=ada.pk, data=make.to_json(make.v2()))
    files = unzip(take_out(ada))
    (name,) = [name for name in files if name.endswith(f"/{ending}")]
    assert "changed or damaged" in nothing_came_in(make_person("ben"), rezip(files | {name: files[name] + b" "}))


def test_a_forged_manifest_is_refused(ada: User) -> None:
    """The signature is checked before the manifest is believed."""
    files = unzip(take_out(ada))
    files["manifest.json"] = files["manifest.json"].replace(b"README.txt", b"READYE.txt")
    assert "signature" in nothing_came_in(make_person("ben"), rezip(files))


def test_a_missing_file_is_refused(ada: User) -> None:
    make_story(ada, turns=3)
    files = unzip(take_out(ada))
    nothing_came_in(make_person("ben"), rezip({name: files[name] for name in files if "/turns-" not in name}))


def test_a_cut_or_foreign_file_is_refused(ada: User) -> None:
    """Half an archive, a picture, another ZIP, nothing at all."""
    make_story(ada, turns=3)
    content = take_out(ada)
    ben = make_person("ben")
    for broken in (content[: len(content) // 2], b"", b"PK", make.png_card(make.v2()), rezip({"a.txt": b"x"})):
        nothing_came_in(ben, broken)


def test_any_flipped_byte_is_refused_or_harmless(ada: User) -> None:
    """A damaged archive never comes in as another story."""
    make_story(ada, turns=3)
    content = take_out(ada)
    texts = [turn["text"] for turn in turns_of(unzip(content))]
    for number, at in enumerate(range(0, len(content), max(1, len(content) // 60))):
        ben = make_person(f"ben{number}")
        broken = content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]
        try:
            bring(ben, broken)
        except NotUnderstood:
            assert not Story.objects.filter(owner=ben).exists()
        else:
            rows = Turn.objects.filter(story__owner=ben).order_by("position")
            assert [row.open("text", Purpose.EXPORT) for row in rows] == texts


def test_an_encrypted_archive_is_named_as_such(ada: User) -> None:
    holder = pyrage.x25519.Identity.generate()
    content = take_out(ada, recipient=str(holder.to_public()))
    assert "age" in nothing_came_in(make_person("ben"), content)


@pytest.mark.parametrize(
    "name",
    ["../up.json", "/root.json", "stories/../../up.json", "C:/x.json", "a\\b.json", "a//b", "a/./b", "n" * 201],
)
def test_names_that_lead_out_are_refused(ada: User, name: str) -> None:
    """No path is ever made of a name, and such an archive is not read at all (zip-slip)."""
    files = unzip(take_out(ada)) | {name: b"{}"}
    nothing_came_in(make_person("ben"), rezip(files))


def test_links_and_folders_are_refused(ada: User) -> None:
    """A symbolic link is no file."""
    out = io.BytesIO(take_out(ada))
    with zipfile.ZipFile(out, "a") as opened:
        entry = zipfile.ZipInfo("stories/link.json")
        entry.external_attr = 0o120777 << 16
        opened.writestr(entry, "/etc/passwd")
    assert "no plain file" in nothing_came_in(make_person("ben"), out.getvalue())


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["readme.TXT", "README.txt"])
def test_two_files_of_one_name_are_refused(ada: User, name: str) -> None:
    """Which of them was signed, and which would be read? Nor two that are one on a disk that knows no capitals."""
    out = io.BytesIO(take_out(ada))
    with zipfile.ZipFile(out, "a") as opened:
        opened.writestr(name, "Something else.")
    assert "not an archive that can be opened" in nothing_came_in(make_person("ben"), out.getvalue())


def test_bombs_are_refused_before_they_unfold(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ratio, number of files, size of one file, all together, depth of JSON: each judged from the outside."""
    files, ben = unzip(take_out(ada)), make_person("ben")
    assert "200 times" in nothing_came_in(ben, rezip(files | {"zeros.bin": bytes(5_000_000)}))
    nothing_came_in(ben, rezip(files | {"a/b/c/d/e/f/g.json": b"{}"}))
    with pytest.raises(NotUnderstood):
        archive.parse_json(b"[" * 100_000 + b"]" * 100_000, "deep.json")
    with pytest.raises(NotUnderstood):
        archive.parse_json(b'{"n": NaN}', "nan.json")
    for levels, taken in ((archive.JSON_DEPTH, True), (archive.JSON_DEPTH + 1, False)):
        with nullcontext() if taken else pytest.raises(NotUnderstood):
            archive.parse_json(b"[" * levels + b"]" * levels, "edge.json")
    limits = {"FILES": 3, "TOTAL_BYTES": 100, "DIRECTORY_BYTES": 10, "MANIFEST_BYTES": 10, "FILE_BYTES": 10}
    for limit, value in limits.items():
        with monkeypatch.context() as patched:
            patched.setattr(archive, limit, value)
            assert "larger than what is taken in" in nothing_came_in(ben, rezip(files))


def test_a_large_file_that_no_manifest_lists_is_refused(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be read whole, like those that are listed."""
    files = unzip(take_out(ada))
    monkeypatch.setattr(archive, "FILE_BYTES", most := max(map(len, files.values())))
    assert "notes.txt has more than" in nothing_came_in(
        make_person("ben"), rezip(files | {"notes.txt": bytes(most + 1)})
    )
    bring(make_person("cleo"), rezip(files | {"notes.txt": bytes(most)}))


def test_a_string_without_an_end_holds_nobody_up(ada: User) -> None:
    """A mebibyte of escaped quotation marks where the signature belongs is read once, and refused."""
    files = unzip(take_out(ada)) | {"signature.json": b'"' + b'\\"' * (512 * 1024 - 1)}
    assert "signature.json is no JSON" in nothing_came_in(make_person("ben"), rezip(files, packed=False))


def test_many_values_are_refused_before_they_unfold(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few bytes may be very many values; a file within the limit is taken."""
    files = unzip(take_out(ada))
    monkeypatch.setattr(archive, "JSON_VALUES", 10)
    assert "more than 10 values" in nothing_came_in(make_person("ben"), rezip(files))


def test_many_small_bombs_are_refused(ada: User) -> None:
    """Each is below what is judged by itself."""
    zeros = {f"zeros-{number}.bin": bytes(1_000_000) for number in range(20)}
    assert "100 times" in nothing_came_in(make_person("ben"), rezip(unzip(take_out(ada)) | zeros))


@pytest.mark.parametrize("count", [0, 1])
def test_a_directory_that_lies_about_its_length_is_refused(
    ada: User, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """The number of entries that stands beside it is not what the reader of archives goes by."""
    content = bytearray(rezip(unzip(take_out(ada))))
    at = content.rindex(b"PK\5\6")
    content[at + 8 : at + 12] = struct.pack("<2H", count, count)
    monkeypatch.setattr(archive, "FILES", 3)
    monkeypatch.setattr(zipfile, "ZipFile", None)  # it is not even opened
    assert "more than 3 files" in nothing_came_in(make_person("ben"), bytes(content))


def test_a_second_directory_cannot_be_shown_to_the_judge(ada: User) -> None:
    """What looks like the directory of a large archive counts only where the reader of archives finds it."""
    content = rezip(unzip(take_out(ada)))
    at = content.rindex(b"PK\5\6")
    record = b"PK\6\6" + bytes(52)
    for place in (at, 0):
        locator = b"PK\6\7" + struct.pack("<IQI", 0, place, 1)
        forged = content[:at] + (record if place else bytes(56)) + locator + content[at:]
        nothing_came_in(make_person("ben" if place else "cleo"), forged)


def test_two_entries_over_the_same_bytes_are_refused(ada: User) -> None:
    """The trick of the better bombs: a directory that names one stretch of the file many times."""
    content = bytearray(rezip(unzip(take_out(ada))))
    at = content.index(b"PK\1\2")
    second = content.index(b"PK\1\2", at + 4)
    content[second + 42 : second + 46] = content[at + 42 : at + 46]
    assert "not an archive that can be opened" in nothing_came_in(make_person("ben"), bytes(content))


def test_a_frozen_account_takes_nothing_in(ada: User) -> None:
    content = take_out(ada)
    ben = make_person("ben")
    User.objects.filter(pk=ben.pk).update(state=User.State.FROZEN)
    assert "frozen" in nothing_came_in(ben, content)


class Counted(str):
    """A name that counts how often it is looked at."""

    __slots__ = ()
    looks: ClassVar[list[str]] = []

    def startswith(self, *wanted: Any) -> bool:
        self.looks.append(self)
        return super().startswith(*wanted)


class ManyStories:
    """An archive of very many stories whose keys were gone: the cheapest that can be told of."""

    def names(self) -> list[str]:
        return [Counted(f"stories/{number:04}/story.json") for number in range(300)]

    def json(self, name: str) -> Any:
        return {"format": STORY, "unreadable": True, "id": name}

    def content(self, name: str) -> bytes:
        raise NotImplementedError


def test_many_stories_cost_no_more_each_than_few() -> None:
    """Each name is looked at a few times, and not once for each story: a hundred thousand would take half an hour."""
    Counted.looks.clear()
    check_stories(ManyStories())
    assert 300 <= len(Counted.looks) <= 1_200
