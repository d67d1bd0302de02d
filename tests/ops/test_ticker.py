"""The ticker: each clock rings when it is due, for one worker, and one broken clock stops no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mindstage.kit import clock
from mindstage.ops.models import Tick
from mindstage.ops.ticker import RETRY, Clock, next_due, ring_due

pytestmark = pytest.mark.django_db


def test_rings_at_once_then_each_period() -> None:
    """A new clock is due now, and again after its period."""
    rung: list[int] = []
    clocks = [Clock("a", timedelta(hours=1), lambda: rung.append(1))]
    assert ring_due(clocks) == ["a"]
    assert ring_due(clocks) == []
    assert timedelta(minutes=59) < next_due(clocks) - clock.now() <= timedelta(hours=1)
    with clock.moved(timedelta(minutes=61)):
        assert ring_due(clocks) == ["a"]
    assert len(rung) == 2


def test_a_claim_holds_while_the_deed_runs() -> None:
    """A second worker that looks while the deed runs does not ring it as well."""
    heard: list[list[str]] = []
    clocks = [Clock("a", timedelta(days=1), lambda: heard.append(ring_due(clocks)))]
    assert ring_due(clocks) == ["a"]
    assert heard == [[]]


def test_a_broken_clock_is_tried_again_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """A failing deed is logged by its type alone and is due again after a short while."""

    def fall() -> None:
        raise ValueError("the words of a story")

    clocks = [Clock("broken", timedelta(days=1), fall), Clock("sound", timedelta(days=1), lambda: None)]
    assert ring_due(clocks) == ["sound"]
    assert "ValueError" in caplog.text
    assert "words" not in caplog.text
    assert Tick.objects.get(name="broken").due_at <= clock.now() + RETRY


@pytest.mark.django_db(databases=["default", "keystore"], transaction=True)
def test_every_clock_of_the_program_rings(vault: None) -> None:
    """The table of clocks names deeds that run, each under its own name."""
    from mindstage.config.schedule import CLOCKS

    names = [each.name for each in CLOCKS]
    assert len(set(names)) == len(names)
    assert ring_due(CLOCKS) == names
