"""Every promise of the policy that names a time: measured, published, and an alarm when it is late."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.test import Client

from mindstage.accounts.sessions import begin_session
from mindstage.datamap.reading import data_map
from mindstage.datamap.retention import spans_in
from mindstage.kit import clock
from mindstage.ops.models import RetentionReport
from mindstage.ops.night_checks import say_retention
from mindstage.ops.retention import MEASURES, Measure, Oldest, publish_retention
from mindstage.vault.clocks import slow_date
from mindstage.vault.models import Keystore
from ops.records import (
    DAY,
    RECORDS,
)
from people import make_person

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
]
SECOND = timedelta(seconds=1)


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
    measured = clock.today() + 31 * DAY
    assert f"Measured on {measured:%-d %B %Y}." in page
    assert f"{clock.today():%-d %B %Y}, 31 days" in page
    assert not re.search(r"\d{4}-\d\d-\d\d", page)  # days are written as on every other page
    assert RetentionReport.objects.count() == 1


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
