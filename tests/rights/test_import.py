"""What was taken out comes in again: equal after mapping identifiers, and the report says what was not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta

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
from mindstage.library.trash import trash_item
from mindstage.rights import importing
from mindstage.rights.export_models import KeptFile
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
from rights.possessions import possessions
from rights.takeouts import bring, empty_exports, one, resign, rezip, take_out, unzip
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
    empty_exports()


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
    """For generated accounts, in another instance: every file but the account's own, and the books page by page.

    And the rows themselves, so that nothing is missing in both archives.
    """
    first = make_person(f"person{next(_people)}")
    live(first, life)
    content, owned = take_out(first), possessions(first)
    move_away()
    second = make_person(f"person{next(_people)}")
    brought = bring(second, content)
    assert not brought.report.not_understood
    assert told(take_out(second)) == told(content)
    assert possessions(second) == owned
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
    assert "the same in other formats" in said


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
    trash_item(character)
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


def test_what_there_is_no_room_for_is_named(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of files that nobody knows so many are kept as there is room for; each of the others stands in the report."""
    monkeypatch.setattr(importing, "KEPT_BYTES", 30)
    more = {"a.txt": b"x" * 20, "b.txt": b"y" * 20, "c.txt": b"z" * 10}
    said = " ".join(bring(ben := make_person("ben"), rezip(unzip(take_out(ada)) | more)).sentences)
    kept = KeptFile.objects.filter(owner=ben).order_by("id")
    assert [row.open("path", Purpose.EXPORT) for row in kept] == ["a.txt", "c.txt"]
    assert ("Not understood: b.txt: too large to be kept" in said, "Kept as it is: c.txt" in said) == (True, True)


def test_no_more_files_are_kept_than_fit(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small they are, so many are kept and no more; the others are named one by one."""
    monkeypatch.setattr(importing, "KEPT_FILES", 2)
    more = {f"{name}.txt": b"" for name in "abcd"}
    said = " ".join(bring(ben := make_person("ben"), rezip(unzip(take_out(ada)) | more)).sentences)
    assert KeptFile.objects.filter(owner=ben).count() == 2
    assert [f"Not understood: {name}.txt: one too many" in said for name in "abcd"] == [False, False, True, True]


def test_a_kept_file_keeps_its_day(ada: User) -> None:
    """A day that is none is refused before anything is written."""
    bring(ada, rezip(unzip(take_out(ada)) | {"notes.txt": b"x"}))
    content = take_out(ada)
    with clock.moved(timedelta(days=40)):
        bring(ben := make_person("ben"), content)
    assert KeptFile.objects.get(owner=ben).kept_on == KeptFile.objects.get(owner=ada).kept_on
    files = unzip(content)
    for wrong in ("yesterday", None, 7):
        kept = json.loads(files["kept/0001.json"]) | {"kept_on": wrong}
        with pytest.raises(NotUnderstood):
            bring(ben, resign(files | {"kept/0001.json": json.dumps(kept).encode()}))
