"""A wall clock that was ahead, and jumped back: what was written meanwhile stays no longer than what is written now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from mindstage.accounts.access_counts import AccessCount, note_opening, purge_old_counts, store_counts
from mindstage.kit import clock
from mindstage.vault.purposes import Purpose
from ops.test_retention import DAY, open_something, ring_at, send, tell, type_draft
from people import make_person

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
]


@pytest.mark.parametrize("ahead", [2 * DAY, 500 * DAY], ids=["a little", "further than any promise"])
@pytest.mark.parametrize(("make", "days"), [(type_draft, 30), (tell, 365), (open_something, 365), (send, 365)])
def test_what_a_clock_of_the_future_wrote_ends_in_time(
    make: Callable[[], Callable[[], bool]], days: int, ahead: timedelta
) -> None:
    """Its time begins on the day on which the clock is right again."""
    with clock.moved(ahead):
        is_there = make()
    ring_at(timedelta(0))
    assert is_there()
    ring_at((days - 1) * DAY)
    assert is_there()
    ring_at(days * DAY)
    assert not is_there()


def test_openings_counted_ahead_are_added_to_those_of_the_day() -> None:
    """None is lost, and each line stands once: two purposes of a day, counted by two clocks."""
    ada = make_person("ada")
    store_counts()
    AccessCount.objects.all().delete()
    for ahead, purposes in ((0, [Purpose.SHOW]), (3, [Purpose.SHOW, Purpose.EXPORT]), (400, [Purpose.SHOW])):
        with clock.moved(ahead * DAY):
            for purpose in purposes:
                note_opening(ada.pk, purpose)
            store_counts()
    assert purge_old_counts() == 0
    lines = AccessCount.objects.values_list("day", "purpose", "count")
    assert sorted(lines) == [(clock.today(), Purpose.EXPORT, 1), (clock.today(), Purpose.SHOW, 3)]
