"""Every promise of the policy that names a time: kept to the second, by the clocks of the program and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from mindstage.accounts.access_counts import AccessCount, note_opening, store_counts
from mindstage.accounts.doorsteps import Step, make_doorstep
from mindstage.accounts.freezing import freeze_account, thaw_account
from mindstage.accounts.models import Doorstep, Notice, Session, User
from mindstage.accounts.notices import notify
from mindstage.accounts.sessions import begin_session
from mindstage.config.schedule import CLOCKS
from mindstage.datamap.reading import data_map
from mindstage.datamap.retention import spans_in
from mindstage.gateway.models import Sending
from mindstage.gateway.sendings import note_sending
from mindstage.kit import clock
from mindstage.library.models import Character
from mindstage.library.trash import trash_character
from mindstage.ops import night
from mindstage.ops.jobs import KEPT_FAILED
from mindstage.ops.models import Job, RetentionReport
from mindstage.ops.night_checks import say_retention
from mindstage.ops.retention import MEASURES, Measure, Oldest, publish_retention
from mindstage.ops.ticker import ring_due
from mindstage.rights.erasure import request_erasure
from mindstage.rights.models import ErasureRequest, Export
from mindstage.rights.trash import list_trash
from mindstage.stories import revisions
from mindstage.stories.drafts import save_draft
from mindstage.stories.models import Draft, Story, Turn
from mindstage.stories.trash import trash_story
from mindstage.vault.backup_keys import make_backup_key
from mindstage.vault.clocks import slow_date
from mindstage.vault.models import BackupKey, Keystore, ReservedHandle, UserKey
from mindstage.vault.purposes import Purpose
from people import make_person
from providers import remote
from rights.erasures import Life, make_life
from stories.scenes import make_story

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
]
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
WALL = [each for each in CLOCKS if each.name not in ("night", "retention report", "tidy database", "policy notices")]


def ring_at(moment: timedelta) -> None:
    """Ring every clock that goes by the wall, as if it were so much later."""
    from mindstage.ops.models import Tick

    with clock.moved(moment):
        Tick.objects.all().delete()
        assert ring_due(WALL) == [each.name for each in WALL]


def pass_nights(first: int, last: int) -> None:
    for day in range(first, last + 1):
        with clock.moved(day * DAY):
            night.pass_night()


def begin_browser() -> Callable[[], bool]:
    begin_session(make_person("ada"), "phone")
    # in use all the time: only the 30 days end it
    Session.objects.update(seen=clock.now() + 40 * DAY)
    return Session.objects.exists


def leave_browser() -> Callable[[], bool]:
    begin_session(make_person("ada"), "phone")
    return Session.objects.exists


def knock() -> Callable[[], bool]:
    make_doorstep(Step.SECOND_FACTOR)
    return Doorstep.objects.exists


def wait_for_export() -> Callable[[], bool]:
    Export.objects.create(owner=make_person("ada"), state=Export.State.READY, ready_at=clock.now())
    return Export.objects.exists


def fail_job() -> Callable[[], bool]:
    Job.objects.create(task="x", state=Job.State.FAILED, due_at=clock.now())
    return Job.objects.exists


@pytest.mark.parametrize(
    ("make", "lasts"),
    [
        (begin_browser, 30 * DAY),
        (leave_browser, 7 * DAY),
        (knock, timedelta(minutes=10)),
        (wait_for_export, timedelta(hours=24)),
        (fail_job, KEPT_FAILED),
    ],
)
def test_what_ends_by_the_second(make: Callable[[], Callable[[], bool]], lasts: timedelta) -> None:
    """A second before its time it is there; a second after, its row is gone."""
    is_there = make()
    ring_at(lasts - 2 * SECOND)
    assert is_there()
    ring_at(lasts + SECOND)
    assert not is_there()


def type_draft() -> Callable[[], bool]:
    save_draft(story=make_life("ada").story, mode="do", text="I wait.")
    return Draft.objects.exists


def tell() -> Callable[[], bool]:
    person = make_person("ada")
    Notice.objects.all().delete()
    notify(account=person, text="Your passphrase was changed.")
    return Notice.objects.exists


def open_something() -> Callable[[], bool]:
    person = make_person("ada")
    store_counts()
    AccessCount.objects.all().delete()
    note_opening(person.pk, Purpose.SHOW)
    store_counts()
    return AccessCount.objects.exists


def send() -> Callable[[], bool]:
    note_sending(make_person("ada").pk, remote())
    return Sending.objects.exists


@pytest.mark.parametrize(("make", "days"), [(type_draft, 30), (tell, 365), (open_something, 365), (send, 365)])
def test_what_ends_by_the_day(make: Callable[[], Callable[[], bool]], days: int) -> None:
    """On the day before its last it is there; on its last it goes."""
    is_there = make()
    ring_at((days - 1) * DAY)
    assert is_there()
    ring_at(days * DAY)
    assert not is_there()


def test_the_trash_ends_with_the_thirtieth_night() -> None:
    """Stories, turns and characters lie there for 30 nights of the instance, whatever the wall says."""
    night.pass_night()
    life, other = make_life("ada"), make_life("ben")
    trash_story(story=life.story)
    trash_character(character=life.character)
    reply = Turn(story=other.story, segment=other.story.head, position=1, kind=Turn.Kind.REPLY).seal(text="Rain.")
    reply.save(force_insert=True)
    revisions.trash_turn(turn=reply)
    pass_nights(1, 29)
    assert Story.objects.filter(pk=life.story.pk).exists()
    assert Character.objects.filter(pk=life.character.pk).exists()
    assert Turn.objects.filter(pk=reply.pk).exists()
    pass_nights(30, 30)
    assert not Story.objects.filter(pk=life.story.pk).exists()
    assert not Character.objects.filter(pk=life.character.pk).exists()
    assert not Turn.objects.filter(pk=reply.pk).exists()
    assert Story.objects.filter(pk=other.story.pk).exists()


def test_a_shorter_time_of_the_operator_is_the_one_that_counts(settings: Any) -> None:
    """Drafts go with the first second of their last day and not a second before, the trash with its last night."""
    settings.MINDSTAGE = replace(settings.MINDSTAGE, retention={"trash": 7, "draft": 3})
    night.pass_night()
    life = make_life("ada")
    save_draft(story=make_life("ben").story, mode="do", text="I wait.")
    trash_story(story=life.story)
    trash_character(character=life.character)
    midnight = datetime.combine(clock.today() + 3 * DAY, time(), UTC) - clock.now()
    ring_at(midnight - SECOND)
    assert Draft.objects.exists()
    ring_at(midnight + SECOND)
    assert not Draft.objects.exists()
    pass_nights(1, 6)
    assert Story.objects.filter(pk=life.story.pk).exists()
    assert Character.objects.filter(pk=life.character.pk).exists()
    pass_nights(7, 7)
    assert not Story.objects.filter(pk=life.story.pk).exists()
    assert not Character.objects.filter(pk=life.character.pk).exists()


@pytest.mark.parametrize(("frozen_for", "days_left"), [(40, 7), (10, 20)])
def test_nothing_of_a_frozen_account_ends_meanwhile(frozen_for: int, days_left: int) -> None:
    """Its trash and its drafts wait for the thaw, and then last a week at least; what is published is not over."""
    night.pass_night()
    life, other = make_life("ada"), make_story(User.objects.get(), turns=3)
    trash_story(story=life.story)
    trash_character(character=life.character)
    revisions.trash_turn(turn=Turn.objects.get(story=other, position=1))
    save_draft(story=other, mode="do", text="I wait.")
    freeze_account(life.person.pk)
    pass_nights(1, frozen_for)
    ring_at(frozen_for * DAY)
    assert everything_of(life, other) == (1, 1, 1, 1)
    with clock.moved(frozen_for * DAY):
        publish_retention()
        lines = Client().get("/transparency/retention.json").json()["categories"]
        assert not [each["category"] for each in lines if each["over"]]
        assert thaw_account(life.person.pk)
        assert [one.days_left for one in list_trash(life.person.pk)] == [days_left] * 3
    pass_nights(frozen_for + 1, frozen_for + days_left - 1)
    ring_at((frozen_for + days_left - 1) * DAY)
    assert everything_of(life, other) == (1, 1, 1, 1)
    pass_nights(frozen_for + days_left, frozen_for + days_left)
    ring_at((frozen_for + days_left) * DAY)
    assert everything_of(life, other) == (0, 0, 0, 0)


def everything_of(life: Life, other: Story) -> tuple[int, int, int, int]:
    return (
        Story.objects.filter(pk=life.story.pk).count(),
        Character.objects.filter(pk=life.character.pk).count(),
        Turn.objects.filter(story=other, position=1).count(),
        Draft.objects.count(),
    )


def test_a_frozen_account_ends_with_the_seventh_night_and_its_receipt_with_the_thirtieth() -> None:
    """Freeze 7 nights; receipt and reserved handle 30 more; the hash of the receipt stays."""
    night.pass_night()
    person = make_person("ada")
    request_erasure(person.pk)
    pass_nights(1, 6)
    assert UserKey.objects.using("keystore").exists()
    pass_nights(7, 7)
    assert not UserKey.objects.using("keystore").exists()
    assert not User.objects.exists()
    pass_nights(8, 36)
    assert ErasureRequest.objects.get().claim_hash is not None
    assert ReservedHandle.objects.using("keystore").exists()
    pass_nights(37, 37)
    assert ErasureRequest.objects.get().claim_hash is None
    assert ErasureRequest.objects.get().receipt_hash
    assert not ReservedHandle.objects.using("keystore").exists()


def test_the_key_of_a_backup_ends_on_its_day_though_no_backup_ever_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    """30 days by the later of both dates, also when all newer backups failed, and never after 90."""
    night.pass_night()
    BackupKey.objects.using("keystore").all().delete()
    ident, _ = make_backup_key()
    monkeypatch.setattr(night, "back_up", lambda instance, wait: 1 / 0)
    pass_nights(1, 29)
    assert BackupKey.objects.using("keystore").filter(pk=ident).exists()
    pass_nights(30, 30)
    assert not BackupKey.objects.using("keystore").filter(pk=ident).exists()


def test_a_wall_that_ran_away_destroys_keys_of_backups_at_once() -> None:
    """The eager date believes the wall: a machine that was off for 90 days holds no key of a backup after its night."""
    night.pass_night()
    ident, _ = make_backup_key()
    with clock.moved(90 * DAY):
        night.pass_night()
        assert slow_date() < clock.today() - 80 * DAY
    assert not BackupKey.objects.using("keystore").filter(pk=ident).exists()


def test_every_promise_with_a_time_is_measured() -> None:
    """Whatever the map keeps for a time, in use or after its end, has a line in the report, one for each span."""
    for entry in data_map().entries.values():
        for field in ("retention_active", "retention_after"):
            spans = spans_in(getattr(entry, field))
            measured = [each.span for each in MEASURES if each.promise == ("entry", entry.id, field)]
            if (entry.id, field) in MEASURED_ELSEWHERE:
                assert MEASURED_ELSEWHERE[entry.id, field] in {each.name for each in MEASURES}
            else:
                assert set(measured) == set(range(len(spans))), (entry.id, field)


def test_every_row_of_the_policy_has_a_clock_or_a_reason() -> None:
    """A new kind of data fails here until a measured clock ends it, or it is said what it ends with."""
    measured = {each.promise[1] for each in MEASURES}
    rows = {*data_map().entries, "folder:backups"}
    assert rows - measured == WITHOUT_A_CLOCK.keys()
    for name in NOT_STORED:
        assert not [each for each in (*data_map().entries, *data_map().stores) if name in each], name


WITHOUT_A_CLOCK = {
    "credential": "ends with the account",
    "age_band": "ends with the account",
    "factor": "ends with the account, or when it is removed",
    "email": "ends with the account, or when it is removed",
    "kept_file": "ends with the account",
    "consents": "ends with the account, at once",
    "keys": "end with what they open",
    "erasure_request": "its receipt has a clock of its own, its hash stays",
}
NOT_STORED = ("analytics", "statistic", "security")
"""What a policy may keep for a time and this program does not hold: there is nothing to end."""
WITH_THE_ACCOUNT = ("credential", "age_band", "factor", "email", "kept_file")
MEASURED_ELSEWHERE = dict.fromkeys([(name, "retention_after") for name in WITH_THE_ACCOUNT], "account") | {
    ("erasure_request", "retention_after"): "receipt",
    ("reserved_handle", "retention_active"): "reserved_handle",
}
"""What ends with its account is measured by the account, a receipt by its folder, a handle once for both reasons."""


def test_the_page_says_what_was_published() -> None:
    """Anybody can read it, before and after the first measurement."""
    empty = Client().get("/transparency/retention.json").json()
    assert (empty["measured_on"], empty["categories"]) == (None, [])
    assert Client().get("/transparency/").status_code == 200
    begin_session(make_person("ada"), "phone")
    with clock.moved(31 * DAY):
        publish_retention()
        page = Client().get("/transparency/").content.decode()
    found = Client().get("/transparency/retention.json").json()
    assert found["measured_on"] == (clock.today() + 31 * DAY).isoformat()
    assert [line["category"] for line in found["categories"]] == [measure.name for measure in MEASURES]
    assert "Signed-in browsers" in page
    assert RetentionReport.objects.count() == 1


def begin_trash() -> None:
    life = make_life("ada")
    trash_character(character=life.character)
    reply = Turn(story=life.story, segment=life.story.head, position=1, kind=Turn.Kind.REPLY).seal(text="Rain.")
    reply.save(force_insert=True)
    revisions.trash_turn(turn=reply)
    trash_story(story=life.story)


def ask_to_go() -> None:
    request_erasure(make_person("ada").pk)


def finish_going() -> None:
    ask_to_go()
    ErasureRequest.objects.update(state="done", completed_on=slow_date())


def reserve() -> None:
    ReservedHandle.objects.using("keystore").create(tag=b"a tag", until=slow_date() + 30 * DAY)


def stay_unused() -> None:
    begin_session(make_person("ada"), "phone")
    Session.objects.update(born=clock.now() + 30 * DAY)


def fail_export() -> None:
    Export.objects.create(owner=make_person("ada"), state=Export.State.FAILED)


RECORDS: dict[str, list[Callable[[], object]]] = {
    "session": [begin_browser],
    "session_unused": [stay_unused],
    "doorstep": [knock],
    "draft": [type_draft],
    "trash_story": [begin_trash],
    "trash_turn": [begin_trash],
    "trash_character": [begin_trash],
    "account": [ask_to_go],
    "receipt": [finish_going],
    "reserved_handle": [reserve],
    "access_count": [open_something],
    "sending": [send],
    "notice": [tell],
    "export": [wait_for_export, fail_export],
    "failed_job": [fail_job],
    "backup": [make_backup_key],
}
"""Category -> how a record of it begins now."""


def begin_again(measure: Measure, make: Callable[[], object]) -> None:
    """Just now, by the day on which the instance and the wall agree."""
    Keystore.objects.using("keystore").update(slow_date=clock.today())
    make()
    assert measured(measure).oldest == clock.today().isoformat()


def measured(measure: Measure) -> Oldest:
    """Measured and published; what is published is what the doctor says."""
    publish_retention()
    lines = {line["category"]: line for line in Client().get("/transparency/retention.json").json()["categories"]}
    found = Oldest(**lines[measure.name])
    alarm = {finding.name: finding.level for finding in say_retention([found])}
    assert alarm == ({f"retention of {measure.name}": "mistake"} if found.over else {"retention": "ok"})
    return found


@pytest.mark.parametrize(
    ("measure", "make"),
    [(measure, make) for measure in MEASURES for make in RECORDS[measure.name]],
    ids=lambda value: getattr(value, "name", getattr(value, "__name__", "")),
)
def test_a_record_over_its_promise_is_an_alarm(measure: Measure, make: Callable[[], object]) -> None:
    """A second before its clock is late all is well, a second after it doctor and page say so; by nights, a day."""
    begin_again(measure, make)
    if measure.by == "slow":
        quiet, alarm = slow_date() + measure.lasts, slow_date() + measure.lasts + DAY
        Keystore.objects.using("keystore").update(slow_date=quiet)
        assert not measured(measure).over
        Keystore.objects.using("keystore").update(slow_date=alarm)
        assert measured(measure).days == measure.lasts.days + 1
        assert measured(measure).over
        return
    if measure.late is not None:
        edge = measure.lasts + measure.late
    else:
        midnight = datetime.combine(clock.today(), time(), UTC)
        edge = midnight + measure.lasts + DAY - clock.now()
    with clock.moved(edge - SECOND):
        assert not measured(measure).over
    with clock.moved(edge + SECOND):
        found = measured(measure)
        assert found.over
        assert found.days == (clock.today() - date.fromisoformat(str(found.oldest))).days
        assert found.promise == measure.sentence


def test_an_alarm_waits_for_no_second_midnight() -> None:
    """What is promised for minutes or hours rings within the hour."""
    lasts = {measure.name: measure.lasts + (measure.late or DAY) for measure in MEASURES}
    assert lasts["doorstep"] == timedelta(minutes=20)
    assert lasts["export"] == timedelta(hours=24, minutes=10)
    assert lasts["session_unused"] == timedelta(days=7, minutes=10)
