"""An export on its way: once a day, sealed while it waits, and in one piece whatever becomes of its worker."""

from __future__ import annotations

import stat
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pyrage
import pytest

from library import card_makers as make
from mindstage.accounts.models import Notice, User
from mindstage.accounts.notices import notify
from mindstage.kit import clock
from mindstage.library.characters import import_character
from mindstage.rights import export, pipes
from mindstage.rights.export import ExportRefused
from mindstage.rights.export_models import Export
from mindstage.stories.models import Story
from mindstage.stories.trash import trash_story
from mindstage.vault.keys import destroy_item_key
from mindstage.vault.models import ItemKey
from mindstage.vault.sealing import Sealed, Unreadable
from people import make_person
from rights.takeouts import empty_exports, play, turns_of, unzip
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])
AGE_KEY = str(pyrage.x25519.Identity.generate().to_public())


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    """She asks; afterwards the folder is empty again."""
    yield make_person("ada")
    empty_exports()


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
    assert stat.S_IMODE(export.path_of(asked.pk).stat().st_mode) == 0o600
    with clock.moved(timedelta(hours=23, minutes=59)):
        assert export.purge_old_exports() == 0
        assert export.find_ready(ada.pk, asked.pk)
    with clock.moved(timedelta(hours=24, seconds=1)):
        assert export.find_ready(ada.pk, asked.pk) is None
        assert export.purge_old_exports() == 1
        assert not export.path_of(asked.pk).exists()
        assert not ItemKey.objects.using("keystore").filter(pk=asked.pk).exists()
        export.request_export(owner=ada.pk)


@pytest.mark.parametrize("state", [Export.State.WAITING, Export.State.WRITING, Export.State.FAILED, Export.State.GONE])
def test_what_never_became_ready_is_gone_after_a_day_too(ada: User, state: Export.State) -> None:
    """With the age key that was typed for it, and with what a worker had written so far."""
    asked = export.request_export(owner=ada.pk, recipient=AGE_KEY)
    Export.objects.update(state=state)
    draft = export.folder() / f"{asked.pk.hex}.draft.new"
    draft.parent.mkdir(exist_ok=True)
    draft.touch()
    with clock.moved(timedelta(hours=23, minutes=59)):
        assert export.purge_old_exports() == 0
    with clock.moved(timedelta(hours=24, seconds=1)):
        assert export.purge_old_exports() == 1
    assert not Export.objects.exists()
    assert not draft.exists()
    assert not ItemKey.objects.using("keystore").filter(pk=asked.pk).exists()


def test_a_file_that_no_export_knows_any_more_goes(ada: User) -> None:
    """Its owner was erased by another process, or an older database came back; the file of an export stays."""
    asked = export.request_export(owner=ada.pk)
    export.write_export(asked.pk)
    for name in (f"{uuid.uuid4().hex}.export", f"{uuid.uuid4().hex}.0123456789abcdef.new"):
        (export.folder() / name).touch()
    assert export.purge_old_exports() == 2
    assert list(export.folder().iterdir()) == [export.path_of(asked.pk)]


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
