"""Turn the epoch, by six durable writes. After the sixth, nothing that died before can be opened by anybody.

1 epoch file: both keys   2 escrow: both   3 keystore: every key re-wrapped, the switch   4 a copy under the new epoch
5 epoch file: the new one alone   6 escrow likewise, pinned to the ledger that the copy holds

A crash at any point is taken up by the same function: what files and keystore say tells which write is next.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date

from django.conf import settings

from mindstage.ledger import book
from mindstage.vault import copies
from mindstage.vault.epoch_file import EpochFile, wrap_epoch_key, write_epoch_file
from mindstage.vault.escrow import EscrowAway, read_escrow, write_escrow
from mindstage.vault.keyring import epoch_keys, unwrap_instance_key, wrap_instance_key
from mindstage.vault.keys import close_vault
from mindstage.vault.locking import vault_lock
from mindstage.vault.marks import keystore_commit, keystore_state
from mindstage.vault.models import BackupKey, InstanceKey, ItemKey, UserKey
from mindstage.vault.root_key import read_root_key
from mindstage.vault.sealing import KEY_BYTES
from mindstage.vault.wrapping import (
    unwrap_backup_key,
    unwrap_item_key,
    unwrap_user_key,
    wrap_backup_key,
    wrap_item_key,
    wrap_user_key,
)


class AnotherTurned(Exception):
    """The escrow knows a newer epoch than this machine: another machine has taken over. Nothing was done."""


MONTH = 30
"""Days after which the epoch turns although nothing died in it."""


def is_due(day: date) -> bool:
    """Whether the epoch should turn tonight: keys died in it, it is a month old, or a rotation stands half done."""
    state = keystore_state()
    halfway = len(epoch_keys(settings.MINDSTAGE.keys_dir).slots) > 1
    return state.dirty or halfway or (day - state.rotated_on).days >= MONTH


def rotate() -> int:
    """Turn the epoch, or finish the turn that was begun; the number.

    Raises EscrowAway and LedgerBroken (nothing done), AnotherTurned, OSError and NoCopy (resumed later).
    """
    with vault_lock():
        _refuse_unless_current()  # 0
        folder = settings.MINDSTAGE.keys_dir
        epochs = epoch_keys(folder)
        head = _ledger_head(epochs)
        if len(epochs.slots) == 1:
            root = read_root_key(folder)
            number = epochs.newest + 1
            slots = {**epochs.slots, number: wrap_epoch_key(os.urandom(KEY_BYTES), number, root=root)}
            write_epoch_file(folder, EpochFile(slots, head))  # 1
        return resume_rotation()


def resume_rotation() -> int:
    """Finish a rotation that was begun, from whichever write is next; the epoch. Raises as `rotate` does."""
    configuration = settings.MINDSTAGE
    with vault_lock():
        _refuse_unless_current()
        epochs = epoch_keys(configuration.keys_dir)
        head = _ledger_head(epochs)
        current = keystore_state().epoch
        if epochs.newest > current:
            write_escrow(configuration.escrow_dir, _pinned_to_copy(epochs))  # 2
            _switch(epochs, current)  # 3
            current = epochs.newest
        if len(epochs.slots) > 1:
            copies.write_copy()  # 4
            epochs = EpochFile({current: epochs.slots[current]}, head)
            write_epoch_file(configuration.keys_dir, epochs)  # 5
        pinned = _pinned_to_copy(epochs)
        if read_escrow(configuration.escrow_dir) != pinned:
            write_escrow(configuration.escrow_dir, pinned)  # 6
        return current


def oldest_slot() -> int:
    """The oldest epoch that file or escrow can still open. Raises EscrowAway."""
    configuration = settings.MINDSTAGE
    escrow = read_escrow(configuration.escrow_dir)
    if escrow is None:
        raise EscrowAway
    return min([*epoch_keys(configuration.keys_dir).slots, *escrow.slots])


def is_done(died_in: int) -> bool:
    """Whether what died in that epoch is beyond reach: every slot of file and escrow is newer."""
    try:
        return oldest_slot() > died_in
    except EscrowAway:
        return False


def _refuse_unless_current() -> None:
    configuration = settings.MINDSTAGE
    escrow = read_escrow(configuration.escrow_dir)
    epochs = epoch_keys(configuration.keys_dir)
    if escrow is not None and escrow.newest > epochs.newest:
        raise AnotherTurned


def _switch(epochs: EpochFile, current: int) -> None:
    """The switch: one transaction re-wraps every key under the new epoch."""
    root = read_root_key(settings.MINDSTAGE.keys_dir)
    old, new = epochs.epoch_key(current, root=root), epochs.epoch_key(epochs.newest, root=root)
    with keystore_commit() as state:
        users = _rewrap_users(old, new)
        ItemKey.objects.using("keystore").exclude(owner__in=UserKey.objects.using("keystore").values("pk")).delete()
        for item in ItemKey.objects.using("keystore").iterator():
            key = unwrap_item_key(item.pk, item.owner, bytes(item.wrapped), epoch_key=old, user_key=users[item.owner])
            item.wrapped = wrap_item_key(item.pk, item.owner, key, epoch_key=new, user_key=users[item.owner])
            item.save(using="keystore", update_fields=["wrapped"])
        for backup in BackupKey.objects.using("keystore").iterator():
            key = unwrap_backup_key(backup.pk, bytes(backup.wrapped), epoch_key=old)
            backup.wrapped = wrap_backup_key(backup.pk, key, epoch_key=new)
            backup.save(using="keystore", update_fields=["wrapped"])
        for row in InstanceKey.objects.using("keystore"):
            row.wrapped = wrap_instance_key(row.name, new, unwrap_instance_key(row, old))
            row.save(using="keystore", update_fields=["wrapped"])
        state.epoch, state.dirty, state.rotated_on = epochs.newest, False, state.slow_date
    close_vault()


def _rewrap_users(old: bytes, new: bytes) -> dict[object, bytes]:
    users: dict[object, bytes] = {}
    for person in UserKey.objects.using("keystore").iterator():
        key = users[person.pk] = unwrap_user_key(person.pk, bytes(person.wrapped), epoch_key=old)
        person.wrapped = wrap_user_key(person.pk, key, epoch_key=new)
        person.save(using="keystore", update_fields=["wrapped"])
    return users


def _pinned_to_copy(epochs: EpochFile) -> EpochFile:
    """The escrow's pin never runs ahead of the newest copy, or a new machine would refuse the only copy there is."""
    configuration = settings.MINDSTAGE
    root = read_root_key(configuration.keys_dir)
    keys = {number: epochs.epoch_key(number, root=root) for number in epochs.slots}
    newest = next((copy for _, copy in copies.newest_copies(keys)), None)
    if newest is not None:
        return replace(epochs, pin=(newest.chain.head.length, newest.chain.head.hash))
    before = read_escrow(configuration.escrow_dir)
    return replace(epochs, pin=before.pin if before else (0, book.GENESIS))


def _ledger_head(epochs: EpochFile) -> tuple[int, str]:
    """What the epoch file may be pinned to. Raises LedgerBroken when the ledger is gone or does not reach the pin."""
    chain = book.read_book(settings.MINDSTAGE.ledger_dir)
    if chain is None or not chain.extends(book.Head.at(epochs.pin)):
        raise book.LedgerBroken
    return (chain.head.length, chain.head.hash)
