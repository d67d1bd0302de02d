"""The night: one day at a time, harmless to repeat, taken up after a kill, stopped by no step that fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from mindstage.config.configuration import Configuration
from mindstage.kit import clock
from mindstage.ops import backup, night, night_checks
from mindstage.ops.models import Night, Tick
from mindstage.ops.moving import FIELDS
from mindstage.ops.ticker import Clock, ring_due
from mindstage.rights.erasure import request_erasure
from mindstage.rights.models import ErasureRequest
from mindstage.stories.models import Story
from mindstage.stories.trash import trash_story
from mindstage.vault import clocks
from mindstage.vault.backup_keys import make_backup_key
from mindstage.vault.clocks import slow_date
from mindstage.vault.marks import keystore_state
from mindstage.vault.models import BackupKey, UserKey
from people import make_person
from rights.erasures import make_life

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
]


class Killed(BaseException):
    """The process is gone: nothing after it runs."""


@pytest.fixture
def lived() -> Callable[[int], None]:
    """Pass so many nights, each a day after the one before. The first start is no night that has passed."""
    night.pass_night()
    days = 0

    def live(count: int) -> None:
        nonlocal days
        for _ in range(count):
            days += 1
            with clock.moved(timedelta(days=days)):
                night.pass_night()

    return live


def state_after(days: int) -> date:
    return clock.today() + timedelta(days=days)


def test_a_first_start_moves_no_date() -> None:
    """The slow date of a new instance stays beside the wall's."""
    night.pass_night()
    assert slow_date() == clock.today()
    assert Night.objects.get().backed_up_on == clock.today()


def test_each_night_moves_one_day(lived: Callable[[int], None]) -> None:
    """One day a night, beside the wall."""
    lived(3)
    assert slow_date() == state_after(3)


def test_by_hand_no_date_moves(lived: Callable[[int], None]) -> None:
    """However often somebody passes a night by hand, no freeze is shorter for it; the rest is done."""
    lived(1)
    before = slow_date()
    ident, _ = make_backup_key()
    BackupKey.objects.using("keystore").filter(pk=ident).update(destroy_on=before)
    for _ in range(3):
        night.pass_night(by_hand=True)
    assert slow_date() == before
    assert not BackupKey.objects.using("keystore").filter(pk=ident).exists()


def test_a_wrong_wall_ends_nothing(lived: Callable[[int], None]) -> None:
    """A clock that is 40 days ahead moves the slow date by a day; the operator is asked."""
    life = make_life("ada")
    request_erasure(life.person.pk)
    with clock.moved(timedelta(days=40)):
        night.pass_night()
        assert slow_date() == clock.today() - timedelta(days=39)
        levels = {finding.name: finding.level for finding in night_checks._of_the_night(vars(Night.objects.get()))}
    assert "nights" not in levels
    assert ErasureRequest.objects.get().state == ErasureRequest.State.FROZEN


@pytest.mark.parametrize(("off", "made_up"), [(1, 0), (2, 1), (3, 2), (4, 0)])
def test_a_small_lag_is_made_up_and_what_ends_moves_along(off: int, made_up: int) -> None:
    """After a pause of up to two nights more than one, the date catches up and freezes and trash keep their days."""
    life = make_life("ada")
    night.pass_night()
    request_erasure(make_person("ben").pk)
    trash_story(story=life.story)
    before = slow_date()
    with clock.moved(timedelta(days=off)):
        night.pass_night()
    assert slow_date() == before + timedelta(days=1 + made_up)
    assert ErasureRequest.objects.get().due_on == before + timedelta(days=7 + made_up)
    assert Story.objects.get(pk=life.story.pk).trashed_on == before + timedelta(days=made_up)


def test_a_longer_lag_waits_for_the_operator() -> None:
    """The date catches up when it is confirmed, and every freeze moves along."""
    night.pass_night()
    request_erasure(make_person("ada").pk)
    before = slow_date()
    with clock.moved(timedelta(days=20)):
        night.pass_night()
        assert slow_date() == before + timedelta(days=1)
        assert night.confirm_date() == 19
        assert slow_date() == clock.today()
        with pytest.raises(night.NothingToConfirm):
            night.confirm_date()
    assert ErasureRequest.objects.get().due_on == before + timedelta(days=7 + 19)


@pytest.mark.parametrize("killed_at", ["turn_night", "shift_date", "expire", "end_living", "back_up", "rotate", "done"])
def test_a_killed_night_goes_on(killed_at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the process dies, before or after a step: the night that follows is the same one, not a second."""
    night.pass_night()
    life = make_life("ada")
    trash_story(story=life.story)
    before = slow_date()
    for after in (False, True):
        with monkeypatch.context() as patched:
            _kill_at(killed_at, patched, after=after)
            with clock.moved(timedelta(days=2)), pytest.raises(Killed):
                night.pass_night()
    with clock.moved(timedelta(days=2)):
        night.pass_night()
    assert slow_date() == before + timedelta(days=2)
    assert Story.objects.get(pk=life.story.pk).trashed_on == before + timedelta(days=1)
    assert not Night.objects.get().open


def _kill_at(step: str, patched: pytest.MonkeyPatch, *, after: bool) -> None:
    places = {
        "turn_night": (clocks, "turn_night"),
        "shift_date": (clocks, "shift_date"),
        "expire": (night, "expire_backup_keys"),
        "end_living": (night, "end_living"),
        "back_up": (night, "back_up"),
        "rotate": (night, "resume_rotation"),
        "done": (night, "run_due"),
    }
    module, name = places[step]
    deed = getattr(module, name)

    def kill(*given: object, **named: object) -> None:
        if after:
            deed(*given, **named)
        raise Killed

    patched.setattr(module, name, kill)


def test_two_nights_at_once_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one process passes the night, another does nothing and tries again later."""

    def meanwhile() -> None:
        with pytest.raises(night.NightUnderWay):
            night.pass_night()

    monkeypatch.setattr(night, "end_living", meanwhile)
    night.pass_night()
    assert Night.objects.get().ending_problem == ""


def test_two_backups_at_once_do_not_touch_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not wait is refused in words; the one that goes on keeps its snapshot and comes to its end."""
    snapshot, said = backup._snapshot, []

    def meanwhile(instance: Configuration, folder: Path) -> Path:
        with pytest.raises(backup.BackupUnderWay) as refused:
            backup.back_up(instance)
        said.append(str(refused.value))
        return snapshot(instance, folder)

    monkeypatch.setattr(backup, "_snapshot", meanwhile)
    assert night.pass_night().backup_problem == ""
    assert said == ["A backup is being taken already, perhaps by the night; it goes on."]
    assert len(backup.list_backups(settings.MINDSTAGE.backups_dir)) == 1


def test_a_night_waits_for_a_backup_that_is_taken_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are there in the end: a lock that is held is asked for again by whoever may wait."""
    asked: list[bool] = []

    @contextmanager
    def lock(path: Path, *, wait: bool = True) -> Iterator[None]:
        asked.append(wait)
        yield

    monkeypatch.setattr(backup, "file_lock", lock)
    night.pass_night()
    backup.back_up(settings.MINDSTAGE)
    assert asked == [True, False]
    assert len(backup.list_backups(settings.MINDSTAGE.backups_dir)) == 2


def test_a_backup_that_fails_stops_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged by its type, kept for the doctor, tried the next night; the night goes on to its end."""

    def fail(instance: object, *, wait: bool) -> None:
        raise OSError("/a/path/that/is/nobody's/business")

    monkeypatch.setattr(night, "back_up", fail)
    row = night.pass_night()
    assert (row.backup_problem, row.open, row.ended_on) == ("OSError", False, clock.today())
    assert "business" not in caplog.text
    assert _found("backup") == "mistake"


@pytest.mark.parametrize("behind", [29, 30, 45])
def test_no_backup_is_taken_that_could_never_be_opened(behind: int) -> None:
    """A date that lags as long as backups live: the night says that there is none, and what to do."""
    night.pass_night()
    with clock.moved(timedelta(days=behind + 1)):
        row = night.pass_night()  # the slow date moves by one day
        assert clocks.lag() == timedelta(days=behind)
        if behind < 30:
            assert backup.list_backups(settings.MINDSTAGE.backups_dir)
            return
        assert row.backup_problem == "BackupFailed"
        assert not BackupKey.objects.using("keystore").exists()
        assert _found("backup") == "mistake"
        with pytest.raises(
            backup.BackupFailed, match=f"{behind} days behind the clock.*mindstage night --confirm-date"
        ):
            backup.back_up(settings.MINDSTAGE)
        night.confirm_date()
        taken = backup.back_up(settings.MINDSTAGE)
        assert taken in backup.list_backups(settings.MINDSTAGE.backups_dir)


def test_endings_that_fail_leave_the_night_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock rings again within minutes; no second backup is taken then."""
    backups: list[int] = []
    monkeypatch.setattr(night, "back_up", lambda instance, wait: backups.append(1))
    with monkeypatch.context() as patched:
        patched.setattr(night, "end_due", lambda: 1 / 0)
        with pytest.raises(night.EndingsFailed):
            night.pass_night()
        assert _found("endings") == "mistake"
    night.pass_night()
    assert len(backups) == 1
    assert not Night.objects.get().open


def test_an_escrow_that_is_away_waits_and_is_an_alarm(lived: Callable[[int], None]) -> None:
    """Keys die, the epoch does not turn, the doctor says so; when the escrow is back the next night turns it."""
    escrow = settings.MINDSTAGE.escrow_dir
    (settings.MINDSTAGE.keys_dir / night_checks.ESCROW_MADE).touch()
    make_backup_key()
    BackupKey.objects.using("keystore").update(destroy_on=clock.today() + timedelta(days=1))
    away = escrow.with_name("away")
    shutil.move(escrow, away)
    try:
        epoch = keystore_state().epoch
        lived(1)
        assert (keystore_state().epoch, keystore_state().dirty) == (epoch, True)
        assert Night.objects.get().epoch_problem == "EscrowAway"
        assert _found("escrow") == "mistake"
        assert _found("epoch") == "mistake"
    finally:
        shutil.move(away, escrow)
    lived(1)
    assert (keystore_state().epoch, keystore_state().dirty) == (epoch + 1, False)
    assert _found("epoch") == "ok"


def test_a_whole_erasure_ends_by_nights_alone(lived: Callable[[int], None]) -> None:
    """Seven nights after the request the keys are gone, the epoch has turned, the receipt lies there."""
    person = make_person("ada")
    request_erasure(person.pk)
    lived(6)
    assert UserKey.objects.using("keystore").filter(pk=person.pk).exists()
    lived(1)
    assert not UserKey.objects.using("keystore").filter(pk=person.pk).exists()
    assert ErasureRequest.objects.get().state == ErasureRequest.State.DONE


def test_a_wall_that_jumps_back_makes_no_second_night_and_none_less() -> None:
    """A due date further away than a period is drawn in: the next night comes after 24 hours of running."""
    rung: list[int] = []
    table = [Clock("night", timedelta(days=1), lambda: rung.append(1))]
    with clock.moved(timedelta(days=40)):
        ring_due(table)
    assert ring_due(table) == []
    assert Tick.objects.get(name="night").due_at <= clock.now() + timedelta(days=1)
    with clock.moved(timedelta(hours=24, seconds=1)):
        assert ring_due(table) == ["night"]


def test_every_column_that_counts_to_an_end_moves_along() -> None:
    """A new kind of trash or freeze must be told to the shift, or it would end days too early."""
    told = {(model, field) for model, field in FIELDS}
    found = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name.startswith("trashed_") or field.name == "due_on"
    }
    assert found == told


def _found(name: str) -> str:
    """What the doctor's checks of the night say of a thing, by the rows of this test's databases."""
    row, state = vars(Night.objects.get()), vars(keystore_state())
    findings = [*night_checks._of_the_night(row), night_checks._of_the_epoch(state, row)]
    findings += night_checks.check_escrow(settings.MINDSTAGE)
    return next((finding.level for finding in findings if finding.name == name), "none")
