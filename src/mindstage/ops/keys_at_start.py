"""The keys at the start: a missing, wrong or foreign key is found before anything is written."""

from __future__ import annotations

import os

from mindstage.ops.instance import Instance
from mindstage.ops.mistakes import StartMistake
from mindstage.ops.reading_files import exists, read_rows
from mindstage.vault.epoch_file import NAME as EPOCH_FILE
from mindstage.vault.epoch_file import read_epoch_file
from mindstage.vault.escrow import EscrowAway, read_escrow
from mindstage.vault.keyring import close_keyring, found_keys, open_keyring
from mindstage.vault.root_key import NAME, KeyMistake, read_root_key
from mindstage.vault.sealing import Unreadable
from mindstage.vault.start_check import ESCROW_MADE


def refuse_wrong_keys(instance: Instance) -> None:
    """Raises KeyMistake or StartMistake when the keys do not open this instance. Touches nothing.

    An instance without data may lack every key: the first start makes them.
    """
    if not has_keys(instance):
        _refuse_lost_keystore(instance)
        _refuse_keys_in_use(instance)
        if (instance.keys_dir / NAME).exists():
            read_root_key(instance.keys_dir)
        return
    read_root_key(instance.keys_dir)
    _refuse_lost_database(instance)
    if not is_rescued_by_escrow(instance):
        open_keys(instance)
        close_keyring()


def is_rescued_by_escrow(instance: Instance) -> bool:
    """Whether only the escrow holds the keystore's epoch: the start-up check takes it from there, if all belongs here.

    Raises KeyMistake.
    """
    rows = read_rows(instance, "keystore", "SELECT epoch FROM vault_keystore")
    if not rows:
        return False
    epochs = read_epoch_file(instance.keys_dir)
    if epochs is not None and rows[0][0] in epochs.slots:
        return False
    try:
        escrow = read_escrow(instance.escrow_dir)
    except EscrowAway:
        return False
    if escrow is None or rows[0][0] not in escrow.slots:
        return False
    escrow.epoch_key(rows[0][0], root=read_root_key(instance.keys_dir))
    return True


def open_keys(instance: Instance) -> None:
    """Unwrap the epoch key and the instance's own keys. Raises KeyMistake."""
    try:
        open_keyring(instance.keys_dir)
    except Unreadable:
        raise KeyMistake(
            "The keys folder belongs to another instance: its epoch key does not open this keystore; nothing was "
            "changed. Put back the root key and the epoch file that this instance was made with."
        ) from None


def make_keys(instance: Instance) -> bool:
    """Make the keys of a new instance; True at its first start. Raises KeyMistake, OSError."""
    if is_rescued_by_escrow(instance):
        return False
    made = found_keys(instance.keys_dir)
    open_keys(instance)
    return made


def has_keys(instance: Instance) -> bool:
    """Whether this instance was ever started: its keystore holds something. Raises StartMistake."""
    rows = "SELECT 1 FROM vault_keystore UNION ALL SELECT 1 FROM vault_userkey LIMIT 1"
    return exists(instance, "keystore") and bool(read_rows(instance, "keystore", rows))


def _refuse_lost_keystore(instance: Instance) -> None:
    if read_rows(instance, "default", "SELECT 1 FROM accounts_user LIMIT 1"):
        raise StartMistake(
            "The keystore is missing while the database holds accounts; new keys would not open them; nothing was "
            f"changed. Put the keystore back ({'its server' if instance.keystore_url else instance.keystore_file}), or "
            "restore its newest copy: `mindstage restore --keystore`."
        )
    epochs = read_epoch_file(instance.keys_dir)
    marked = "SELECT 1 FROM ledger_databasemark WHERE keystore_generation > 0"
    if (epochs is not None and epochs.pin[0]) or read_rows(instance, "default", marked):
        raise StartMistake(
            "The keystore is missing, and this instance was used before; nothing was changed. Put it back, or restore "
            "its newest copy: `mindstage restore --keystore`. On a new machine: `mindstage restore --machine`."
        )


def _refuse_keys_in_use(instance: Instance) -> None:
    """Two instances on one epoch file: when the first turns its epoch, nothing of the second opens ever again.

    The mark beside the root key and the escrow's file are made after the keystore, so a first start that was cut off
    has neither. Without a keystore here they are another's.
    """
    used = (instance.keys_dir / ESCROW_MADE, instance.escrow_dir / EPOCH_FILE)
    if found := next((file for file in used if os.path.lexists(file)), None):
        raise StartMistake(
            f"{found.parent} belongs to another instance, whose stories would be lost if two shared it; nothing was "
            "changed. Give this one a keys folder (--keys), and an escrow, of its own. If the keys are its own, put "
            "its keystore back: `mindstage restore --keystore`, or on a new machine `mindstage restore --machine`."
        )


def _refuse_lost_database(instance: Instance) -> None:
    used = read_rows(instance, "keystore", "SELECT 1 FROM vault_userkey LIMIT 1")
    if _has_column(instance, "database_generation"):
        used += read_rows(instance, "keystore", "SELECT 1 FROM vault_keystore WHERE database_generation > 0")
    if used and not read_rows(instance, "default", "SELECT 1 FROM django_migrations LIMIT 1"):
        raise StartMistake(
            "The database is missing while the keystore holds people's keys; nothing was changed. Put the database "
            "back, or restore the newest backup: `mindstage restore list` shows them."
        )


def _has_column(instance: Instance, name: str) -> bool:
    """Whether the keystore is of this program's schema already: a start looks before it brings anything up to date."""
    if instance.keystore_url:
        text = "SELECT column_name FROM information_schema.columns WHERE table_name = 'vault_keystore'"
    else:
        text = "SELECT name FROM pragma_table_info('vault_keystore')"
    return (name,) in [tuple(row) for row in read_rows(instance, "keystore", text)]
