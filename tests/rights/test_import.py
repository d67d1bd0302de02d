"""What was taken out comes in again: equal after mapping identifiers, or refused in words with nothing written."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import pyrage
import pytest
from django.apps import apps
from hypothesis import HealthCheck, given, settings

from instances import found_instance
from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.datamap.porting import NotUnderstood
from mindstage.kit import clock
from mindstage.ledger.signing import fingerprint, from_text
from mindstage.library.characters import import_character
from mindstage.library.models import Character
from mindstage.library.trash import trash_character
from mindstage.rights import archive, export
from mindstage.rights.export_models import KeptFile
from mindstage.rights.importing import Brought, bring_archive
from mindstage.rights.receipts import receipt_key
from mindstage.rights.trash import list_trash
from mindstage.stories.drafts import purge_old_drafts
from mindstage.stories.models import Draft, Story, Turn
from mindstage.stories.revisions import trash_turn
from mindstage.stories.trash import trash_story
from mindstage.vault.purposes import Purpose
from people import make_person
from rights.erasures import pass_nights
from rights.lives import LIVES, Life, live
from rights.takeouts import one, resign, rezip, take_out, turns_of, unzip
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])

UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ANEW = re.compile(rb'("(?:trashed_at|trashed_on|saved_on)":)"[0-9T:.+-]+"')
OF_THE_ACCOUNT = {f"{name}.json" for name in ("account", "sessions", "notices", "openings", "consents", "recipients")}
OF_THE_ARCHIVE = {"manifest.json", "signature.json"}
_people = iter(range(1_000_000))


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    """She asks; afterwards the folder is empty again."""
    yield make_person("ada")
    for path in export.folder().glob("*"):
        path.unlink()


def bring(person: User, content: bytes) -> Brought:
    return bring_archive(owner=person.pk, file=io.BytesIO(content))


def told(content: bytes) -> dict[str, bytes]:
    """An archive's files with each identifier replaced by the number of its first appearance. Books are unpacked.

    Days in the trash and of drafts begin anew with an import, so any day is as good as another there.
    This shares nothing with the exporter: it knows JSON Lines, ZIP and what an identifier looks like.
    """
    files = {name: value for name, value in unzip(content).items() if name not in OF_THE_ACCOUNT | OF_THE_ARCHIVE}
    for name in [name for name in files if name.endswith(".epub")]:
        files |= {f"{name}/{inner}": value for inner, value in unzip(files.pop(name)).items()}
    seen: dict[bytes, bytes] = {}

    def number(match: re.Match[bytes]) -> bytes:
        return seen.setdefault(match[0], b"#%d" % len(seen))

    return {name: UUID.sub(number, ANEW.sub(rb'\1"a day"', files[name])) for name in sorted(files)}


def move_away() -> None:
    """Go on in another instance: nobody is in it, and its keys are others."""
    for model in apps.get_models():
        model._default_manager.all().delete()
    found_instance()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(life=LIVES)
def test_out_and_in_and_out_again_is_equal(vault: None, life: Life) -> None:
    """For generated accounts, in another instance: every file but the account's own, and the books page by page."""
    first = make_person(f"person{next(_people)}")
    live(first, life)
    content = take_out(first)
    move_away()
    second = make_person(f"person{next(_people)}")
    brought = bring(second, content)
    assert not brought.report.not_understood
    assert told(take_out(second)) == told(content)
    trash = [life.trashed & set(range(count)) for count in (len(life.cards), min(len(life.titles), 3))]
    stories = Story.objects.filter(owner=second)
    of_their_own = {*stories.values_list("pk", flat=True), *Character.objects.values_list("pk", flat=True)}
    assert sum(one.id in of_their_own for one in list_trash(second.pk)) == sum(map(len, trash))
    assert brought.report.came_in.get("stories", 0) == stories.count() == min(len(life.titles), 3)
    assert brought.report.came_in.get("turns", 0) == Turn.objects.filter(story__in=stories).count()
    assert brought.report.came_in.get("characters", 0) == len(life.cards)


def test_another_instance_takes_it_in(ada: User) -> None:
    """Where nobody is, under other keys: equal again, whatever signed it; and the report names the foreign key."""
    make_story(ada, turns=5)
    import_character(owner=ada.pk, data=make.to_json(make.v3()))
    content, signed_by = take_out(ada), receipt_key()
    move_away()
    assert receipt_key() != signed_by
    ben = make_person("ben")
    brought = bring(ben, content)
    assert told(take_out(ben)) == told(content)
    assert not brought.report.not_understood
    foreign, own = (fingerprint(from_text(key)) for key in (signed_by, receipt_key()))
    assert any(f"The key that signed it: {foreign}" in sentence for sentence in brought.sentences)
    assert own not in " ".join(brought.sentences)
    assert not User.objects.filter(pk=ada.pk).exists()


def test_an_import_says_what_it_did(ada: User) -> None:
    """Counts, what is kept, what was not needed, and whose key signed it."""
    make_story(ada, turns=5)
    import_character(owner=ada.pk, data=make.to_json(make.v3()))
    said = " ".join(bring(make_person("ben"), take_out(ada)).sentences)
    assert "1 story" in said
    assert "5 turns" in said
    assert "1 character" in said
    assert "keeps the handle" in said
    assert "only say the same in other formats" in said


def test_a_running_reply_comes_in_as_interrupted(ada: User) -> None:
    """Another instance's narrator is not writing here; the report says so."""
    story = make_story(ada, turns=3)
    Turn.objects.filter(story=story, position=2).update(state=Turn.State.RUNNING)
    ben = make_person("ben")
    brought = bring(ben, take_out(ada))
    assert Turn.objects.get(story__owner=ben, position=2).state == Turn.State.INTERRUPTED
    assert "was being written" in " ".join(brought.sentences)


def test_an_old_archive_outlives_the_next_night(ada: User) -> None:
    """Forty days old: what lay in the trash then lies there for its whole time again, and a draft is kept as a new one.

    A turn, a story, a character; then their time here is over as well.
    """
    story, other = make_story(ada, turns=3), make_story(ada, turns=1)
    character = import_character(owner=ada.pk, data=make.to_json(make.v3()))
    Draft(story=story, mode="say").seal(text="And then").save(force_insert=True)
    trash_turn(turn=Turn.objects.get(story=story, position=2))
    trash_story(story=other)
    trash_character(character=character)
    content = take_out(ada)
    pass_nights(100, turning=False)
    with clock.moved(timedelta(days=100)):
        ben = make_person("ben")
        said = " ".join(bring(ben, content).sentences)
        assert purge_old_drafts() == 1

    def left() -> list[int]:
        turns = Turn.objects.filter(story__owner=ben)
        return [turns.count(), Story.objects.filter(owner=ben).count(), Character.objects.filter(owner=ben).count()]

    assert "days begin anew. (3 times)" in said
    assert Draft.objects.get().story.owner_id == ben.pk
    pass_nights(29, turning=False)
    assert left() == [4, 2, 1]
    pass_nights(2, turning=False)
    assert left() == [2, 1, 0]


def test_a_story_without_its_key_is_said_and_not_dropped(ada: User) -> None:
    """It stands in the archive as unreadable, and in the report of the import."""
    from mindstage.vault.keys import destroy_item_key

    story = make_story(ada, turns=3)
    destroy_item_key(story.pk)
    content = take_out(ada)
    assert json.loads(one(unzip(content), "story.json"))["unreadable"] is True
    assert "its key was gone" in " ".join(bring(make_person("ben"), content).sentences)


def test_fields_that_nobody_knows_are_said(ada: User) -> None:
    """Of a story, its stage, a branch, a turn, a part, a draft, a character, a kept file, the archive: each is told."""
    story = make_story(ada, turns=2)
    Draft(story=story, mode="say").seal(text="And then").save(force_insert=True)
    import_character(owner=ada.pk, data=make.to_json(make.v3()))
    bring(ada, rezip(unzip(take_out(ada)) | {"notes.txt": b"x"}))
    files = unzip(take_out(ada))

    def add(ending: str, *way: str | int) -> None:
        for name in [name for name in files if re.search(ending, name)]:
            whole = at = json.loads(files[name])
            for step in way:
                at = at[step]
            at["mood"] = "Brave"
            files[name] = json.dumps(whole).encode()

    add(r"/story\.json$")
    add(r"/story\.json$", "stage")
    add(r"/story\.json$", "segments", 0)
    add(r"/story\.json$", "drafts", 0)
    add(r"/turns-0001\.json$")
    add(r"/turns-0001\.json$", "turns", 0)
    add(r"/turns-0001\.json$", "turns", 1)
    add(r"/character\.json$")
    add(r"^kept/0001\.json$")
    add(r"^manifest\.json$", "files", 0)
    brought = bring(make_person("ben"), resign(files, mood="Brave"))
    said = [sentence for sentence in brought.sentences if "does not know" in sentence]
    for what in ("story.json:", "the stage:", "a branch:", "a draft:", "turns-0001.json:", "character.json:",
                 "kept/0001.json:", "manifest.json:", "manifest.json, a file:"):  # fmt: skip
        assert any(f"{what} fields" in sentence for sentence in said), what
    assert any("a turn: fields that this program does not know. (2 times)" in sentence for sentence in said)
    assert "rave" not in " ".join(brought.sentences)


def test_texts_that_could_not_be_read_are_said(ada: User) -> None:
    """A turn and a draft that came without text are named; everything else comes in."""
    story = make_story(ada, turns=2)
    Draft(story=story, mode="say").seal(text="And then").save(force_insert=True)
    files = unzip(take_out(ada))
    for ending, within in (("/story.json", "drafts"), ("/turns-0001.json", "turns")):
        (name,) = [name for name in files if name.endswith(ending)]
        whole = json.loads(files[name])
        whole[within][0]["text"] = None
        files[name] = json.dumps(whole).encode()
    ben = make_person("ben")
    said = " ".join(bring(ben, resign(files)).sentences)
    assert "a draft: text that could not be read" in said
    assert "a turn: text that could not be read" in said
    assert Turn.objects.filter(story__owner=ben).count() == 1


def test_files_that_nobody_knows_are_kept_sealed(ada: User) -> None:
    """A file beside the manifest's is kept as it is, said, and in the next export; that import keeps it again."""
    files = unzip(take_out(ada)) | {"notes/plot.txt": b"She was the lamp all along."}
    ben, cleo = make_person("ben"), make_person("cleo")
    brought = bring(ben, rezip(files))
    assert "notes/plot.txt" in " ".join(brought.sentences)
    row = KeptFile.objects.get(owner=ben)
    assert b"lamp" not in bytes(row.content)
    bring(cleo, take_out(ben))
    kept = KeptFile.objects.get(owner=cleo)
    assert kept.open("path", Purpose.EXPORT) == "notes/plot.txt"
    assert kept.open_bytes("content", Purpose.EXPORT) == b"She was the lamp all along."


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
    ["../up.json", "/root.json", "stories/../../up.json", "C:/x.json", "a\\b.json", "a//b", "a/./b"],
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


def test_bombs_are_refused_before_they_unfold(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ratio, number of files, size of one file, all together, depth of JSON: each judged from the outside."""
    files, ben = unzip(take_out(ada)), make_person("ben")
    assert "200 times" in nothing_came_in(ben, rezip(files | {"zeros.bin": bytes(5_000_000)}))
    nothing_came_in(ben, rezip(files | {"a/b/c/d/e/f/g.json": b"{}"}))
    with pytest.raises(NotUnderstood):
        archive.parse_json(b"[" * 100_000 + b"]" * 100_000, "deep.json")
    with pytest.raises(NotUnderstood):
        archive.parse_json(b'{"n": NaN}', "nan.json")
    for limit, value in {"FILES": 3, "TOTAL_BYTES": 100, "DIRECTORY_BYTES": 10, "MANIFEST_BYTES": 10}.items():
        with monkeypatch.context() as patched:
            patched.setattr(archive, limit, value)
            assert "larger than what is taken in" in nothing_came_in(ben, rezip(files))


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
    nothing_came_in(make_person("ben"), bytes(content))


def test_a_frozen_account_takes_nothing_in(ada: User) -> None:
    content = take_out(ada)
    ben = make_person("ben")
    User.objects.filter(pk=ben.pk).update(state=User.State.FROZEN)
    assert "frozen" in nothing_came_in(ben, content)
