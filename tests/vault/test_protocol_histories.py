"""Histories of a small instance: at random, and fixed ones that refute a weakened program."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from mindstage.ops import restore
from settings_for_tests import SERVER
from vault import protocol
from vault.histories import vault_machine
from vault.playing import play_histories

pytestmark = pytest.mark.drill

EXAMPLES = int(os.environ.get("VAULT_HISTORIES", "3" if SERVER else "10"))
STEPS = int(os.environ.get("VAULT_STEPS", "20"))
SEED = int(os.environ.get("VAULT_SEED", "4"))


@pytest.fixture
def blocker(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def test_random_histories(house_template: Any, blocker: None) -> None:
    """The model agrees after each step; S1 to S7 hold. VAULT_HISTORIES=2000, VAULT_STEPS, VAULT_SEED: other ones."""
    play_histories(house_template, histories=EXAMPLES, steps=STEPS, seed=SEED)


@pytest.fixture
def machine(house_template: Any, blocker: None) -> Iterator[Any]:
    """Two people with an item each, and the account of what must be true of them."""
    machine = vault_machine(house_template)()
    yield machine
    machine.teardown()


def keep_outside_the_ledger(subject: uuid.UUID) -> None:
    """A weakened program: rows alone remember that their owner kept them."""
    protocol.Rows().keep(subject)


KEPT = [("freeze", 8, 8), ("trash", 5, 31)]
"""What was begun, and the nights before and after the operator goes back to a backup of that time."""
WITHOUT_BELT = [("freeze", 8, 1), ("trash", 5, 26)]
"""Without re-arming the clocks of the backup run on from where they stood."""


def play(machine: Any, what: str, between: int, after: int) -> None:
    subject = (machine.people("active") if what == "freeze" else machine.items())[0]
    machine.go_back_before_a_keep(what, subject, between=between, after=after)
    machine.holds()


@pytest.mark.parametrize(("what", "between", "after"), KEPT)
def test_what_was_kept_outlives_a_backup_that_remembers_its_end(
    machine: Any, what: str, between: int, after: int
) -> None:
    """Counter-example 10."""
    play(machine, what, between, after)


@pytest.mark.parametrize(("what", "between", "after"), WITHOUT_BELT)
def test_the_ledger_keeps_it_without_rearmed_clocks(
    machine: Any, monkeypatch: pytest.MonkeyPatch, what: str, between: int, after: int
) -> None:
    """Re-arming is a second belt: the ledger alone is enough."""
    monkeypatch.setattr(restore, "rearm_clocks", lambda: 0)
    play(machine, what, between, after)


@pytest.mark.parametrize("belt", [True, False], ids=["re-armed", "clocks run on"])
@pytest.mark.parametrize("number", [0, 1], ids=["freeze", "trash"])
def test_a_keep_outside_the_ledger_is_refuted(
    machine: Any, monkeypatch: pytest.MonkeyPatch, number: int, belt: bool
) -> None:
    """The weakened program ends a living person, or a thing its owner kept; re-arming only puts it off."""
    monkeypatch.setattr(protocol, "keep", keep_outside_the_ledger)
    if not belt:
        monkeypatch.setattr(restore, "rearm_clocks", lambda: 0)
    with pytest.raises(AssertionError, match="S3 ended unasked"):
        play(machine, *(KEPT if belt else WITHOUT_BELT)[number])
