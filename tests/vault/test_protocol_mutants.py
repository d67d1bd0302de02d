"""Each rule of the protocol, broken in the program on purpose: a short history finds it out, and so do random ones.

A weakening that nothing refutes would mean that neither the model nor the promises say anything about its rule. Beside
each stands the shortest history that refutes it; VAULT_MUTANT_HISTORIES=500 looks for it at random instead.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from mindstage.kit import clock
from mindstage.ledger.book import Kind
from mindstage.ops import restore
from mindstage.vault import backup_keys, clocks, copies, ending, keys, rotation, start_check, wrapping
from mindstage.vault.marks import keystore_commit, keystore_state, mark_database
from mindstage.vault.models import ItemKey, UserKey
from vault import deeds, protocol
from vault.playing import Step, play, play_histories

pytestmark = pytest.mark.drill

HISTORIES = int(os.environ.get("VAULT_MUTANT_HISTORIES", "0"))
"""A mutant that outlives so many has not been found out."""


@pytest.fixture
def blocker(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


Patch = Callable[[pytest.MonkeyPatch], None]


def write(m: Any, c: int | None = None) -> None:
    m.write(c, None)


def add_turn(m: Any) -> None:
    m.add_turn(None, None)


def freeze(m: Any) -> None:
    m.wish(None, None, None, "freeze")


def keep(m: Any) -> None:
    m.wish(None, None, None, "keep")


def end_item(m: Any, c: int | None = None) -> None:
    m.destroy(c, None, None, Kind.ITEM)


def end_person(m: Any) -> None:
    m.destroy(None, None, None, Kind.PERSON)


def back_up(m: Any) -> None:
    m.backup(None, None)


def go_back(m: Any) -> None:
    m.restore_from_backup(None, None)


def turn(m: Any, c: int | None = None) -> None:
    m.turn_epoch(c, None)


def night(m: Any, n: int = 1) -> None:
    m.nights(n, None, None)


def month(m: Any) -> None:
    night(m, 31)


def stop(m: Any) -> None:
    m.machine_off(3, 0, False)


def put_old_database_back(m: Any) -> None:
    """The one from before the last two steps."""
    m.old_files(3, {"D"})


def cut_off(step: Any, c: int) -> Step:
    """The power fails after so many writes."""
    return lambda m: step(m, c)


def keep_in_rows_alone(patch: pytest.MonkeyPatch) -> None:
    """A cancelled freeze, or a thing out of the trash, is no entry of the ledger."""
    patch.setattr(protocol, "keep", lambda subject: protocol.Rows().keep(subject))


def destroy_outside_the_ledger(patch: pytest.MonkeyPatch) -> None:
    """Keys and rows are gone, and no entry says so."""

    def destroy(_house: Any, _kind: Any, subject: uuid.UUID) -> None:
        with keystore_commit() as state:
            ending._destroy(subject, tag=None, until=state.slow_date)
            state.dirty = True
        with transaction.atomic():
            protocol.Rows().erase_item(subject)
            protocol.Rows().erase(subject)
            mark_database()

    patch.setattr(protocol, "destroy", destroy)
    patch.setattr(deeds, "destroy", destroy)


def keys_before_the_ledger(patch: pytest.MonkeyPatch) -> None:
    """Keys die first: a crash leaves data that is gone, and no entry."""
    whole = protocol.destroy

    def destroy(house: Any, kind: Any, subject: uuid.UUID) -> None:
        if kind != "turn":
            with keystore_commit():
                ending._destroy(subject, tag=None, until=clocks.slow_date())
        whole(house, kind, subject)

    patch.setattr(protocol, "destroy", destroy)


def keep_the_item_keys(patch: pytest.MonkeyPatch) -> None:
    """A person's own key dies; those of their items stay."""

    def destroy(subject: uuid.UUID, **_: Any) -> None:
        UserKey.objects.using("keystore").filter(pk=subject).delete()

    patch.setattr(ending, "_destroy", destroy)


def put_the_key_back(patch: pytest.MonkeyPatch) -> None:
    """The rows of destroyed keys are set aside, and put back by the next rotation."""
    aside: list[Any] = []
    destroy, switch = ending._destroy, rotation._switch

    def set_aside(subject: uuid.UUID, **rest: Any) -> None:
        aside.extend(ItemKey.objects.using("keystore").filter(pk=subject))
        destroy(subject, **rest)

    def bring_back(*of: Any) -> None:
        while aside:
            aside.pop().save(using="keystore", force_insert=True)
        switch(*of)

    patch.setattr(ending, "_destroy", set_aside)
    patch.setattr(rotation, "_switch", bring_back)


def restore_without_replay(patch: pytest.MonkeyPatch) -> None:
    """The rows of a backup are served as they are."""
    for room in (restore, start_check):
        patch.setattr(room, "apply_to_database", lambda _chain: [])


def keep_the_old_epoch(patch: pytest.MonkeyPatch) -> None:
    """The epoch file never lets go of a slot."""
    write = rotation.write_epoch_file

    def add(folder: Any, epochs: Any) -> None:
        before = rotation.epoch_keys(folder)
        write(folder, replace(epochs, slots={**before.slots, **epochs.slots}))

    patch.setattr(rotation, "write_epoch_file", add)


def turn_to_the_same_key(patch: pytest.MonkeyPatch) -> None:
    """The epoch has another number, and the key it always had."""
    patch.setattr(rotation, "os", SimpleNamespace(urandom=lambda size: b"\x17" * size))


def wrap_items_by_user_key_alone(patch: pytest.MonkeyPatch) -> None:
    """An old block of the keystore holds an item's key under a key that still lives."""
    derive = wrapping.derive
    patch.setattr(wrapping, "derive", lambda key, *info: derive(key[-32:], *info))


def switch_before_the_escrow_knows(patch: pytest.MonkeyPatch) -> None:
    """The keystore commits to an epoch that lies in one place."""
    write, switch = rotation.write_escrow, rotation._switch
    waiting: list[Any] = []
    patch.setattr(rotation, "write_escrow", lambda *of: waiting.append(of) if len(of[1].slots) > 1 else write(*of))

    def switch_first(*of: Any) -> None:
        switch(*of)
        while waiting:
            write(*waiting.pop())

    patch.setattr(rotation, "_switch", switch_first)


def pin_the_escrow_ahead(patch: pytest.MonkeyPatch) -> None:
    """The escrow vouches for a ledger that no copy reaches."""
    patch.setattr(rotation, "_pinned_to_copy", lambda epochs: epochs)


def compare_no_ages(patch: pytest.MonkeyPatch) -> None:
    """An old database or keystore is not noticed."""
    patch.setattr(start_check, "find_older_copy", lambda: "")


def expire_no_backup_key(patch: pytest.MonkeyPatch) -> None:
    """Keys of backups live on, and are merely not used."""
    for room in (clocks, start_check):
        patch.setattr(room, "expire_backup_keys", lambda: 0)


def expire_without_turning(patch: pytest.MonkeyPatch) -> None:
    """A backup's key dies by the clock, and the epoch in which it died lives on."""

    def expire() -> None:
        due = backup_keys.BackupKey.objects.using("keystore").filter(destroy_on__lte=clocks.eager_date())
        if due.exists():
            with keystore_commit():
                due.delete()

    for room in (clocks, start_check):
        patch.setattr(room, "expire_backup_keys", expire)


def count_no_night(patch: pytest.MonkeyPatch) -> None:
    """What a day wrote without a new key is not counted."""
    patch.setattr(clocks, "mark_database", lambda: None)


def row_before_key(patch: pytest.MonkeyPatch) -> None:
    """An item's row is there before its key."""
    create = keys.create_item_key

    def write(owner: uuid.UUID, item: uuid.UUID, turn: uuid.UUID, text: str) -> None:
        with transaction.atomic():
            protocol.sql("INSERT INTO t_item VALUES (%s, %s, NULL)", item.hex, owner.hex)
            mark_database()
        create(item, owner=owner)
        deeds.add_turn(item, turn, text)

    patch.setattr(protocol, "write", write)


def start_without_replay(patch: pytest.MonkeyPatch) -> None:
    """What a crash left undone stays undone."""
    patch.setattr(start_check, "apply_to_keystore", lambda _chain, **_: None)
    patch.setattr(start_check, "apply_to_database", lambda _chain: [])


def sweep_keys_without_rows(patch: pytest.MonkeyPatch) -> None:
    """A key whose row is not there is taken for rubbish, though a backup may hold the row."""
    turn_night = clocks.turn_night

    def sweep() -> None:
        rows = [uuid.UUID(row[0]) for row in protocol.sql("SELECT id FROM t_item")]
        with keystore_commit():
            ItemKey.objects.using("keystore").exclude(pk__in=rows).delete()
        turn_night()

    patch.setattr(clocks, "turn_night", sweep)


def end_the_living_by_the_wall(patch: pytest.MonkeyPatch) -> None:
    """One clock for all."""
    patch.setattr(clocks, "slow_date", lambda: max(clock.today(), keystore_state().slow_date))


def turn_without_a_copy(patch: pytest.MonkeyPatch) -> None:
    """The old epoch ends before a copy of the new one is there."""
    patch.setattr(rotation, "copies", SimpleNamespace(write_copy=lambda: None, newest_copies=copies.newest_copies))


def done_by_the_file_alone(patch: pytest.MonkeyPatch) -> None:
    """An erasure is called done while the escrow still opens its epoch."""
    patch.setattr(rotation, "oldest_slot", lambda: min(rotation.epoch_keys(settings.MINDSTAGE.keys_dir).slots))


def reserve_no_handle(patch: pytest.MonkeyPatch) -> None:
    """Somebody else may be who was erased, at once."""
    destroy = ending._destroy
    patch.setattr(ending, "_destroy", lambda subject, **_: destroy(subject, tag=None, until=clocks.slow_date()))


MUTANTS: list[tuple[Patch, list[Step]]] = [
    (keep_in_rows_alone, [freeze, keep]),
    (destroy_outside_the_ledger, [end_item]),
    (keys_before_the_ledger, [cut_off(end_item, 1)]),
    (keep_the_item_keys, [end_person]),
    (put_the_key_back, [end_item, turn]),
    (restore_without_replay, [back_up, end_item, go_back]),
    (start_without_replay, [cut_off(end_item, 2)]),
    (keep_the_old_epoch, [turn]),
    (turn_to_the_same_key, [turn, end_item, turn]),
    (wrap_items_by_user_key_alone, [end_item, turn]),
    (switch_before_the_escrow_knows, [cut_off(turn, 2)]),
    (turn_without_a_copy, [turn]),
    (done_by_the_file_alone, [cut_off(turn, 7)]),
    (pin_the_escrow_ahead, [end_item, stop]),
    (compare_no_ages, [freeze, back_up, put_old_database_back]),
    (count_no_night, [add_turn, night, put_old_database_back]),
    (expire_no_backup_key, [back_up, month]),
    (expire_without_turning, [back_up, month]),
    (end_the_living_by_the_wall, [stop, freeze]),
    (row_before_key, [cut_off(write, 1)]),
    (sweep_keys_without_rows, [cut_off(write, 1), night]),
    (reserve_no_handle, [end_person]),
]


@pytest.mark.parametrize(("mutant", "steps"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS])
def test_a_broken_rule_is_found_out(
    house_template: Any, blocker: None, monkeypatch: pytest.MonkeyPatch, mutant: Patch, steps: list[Step]
) -> None:
    """The program disagrees with the model, or breaks a promise."""
    mutant(monkeypatch)
    if HISTORIES:
        attempt = partial(play_histories, house_template, histories=HISTORIES, steps=15, seed=1)
    else:
        attempt = partial(play, house_template, steps)
    with pytest.raises(AssertionError):
        attempt()


def test_the_same_histories_find_nothing_in_the_program(house_template: Any, blocker: None) -> None:
    """It is the broken rule that they find."""
    for steps in {tuple(steps) for _, steps in MUTANTS}:
        play(house_template, list(steps))
