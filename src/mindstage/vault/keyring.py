"""The keyring: what a process needs to unwrap keys. Opened once, from root key, epoch file and keystore.

It is opened anew when the keystore has turned to another epoch: the epoch file holds both keys while that happens.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction

from mindstage.vault.epoch_file import EpochFile, first_epoch, read_epoch_file, write_epoch_file
from mindstage.vault.models import InstanceKey, Keystore, UserKey
from mindstage.vault.one_row import read_row
from mindstage.vault.root_key import NAME, KeyMistake, create_root_key, read_root_key
from mindstage.vault.sealing import KEY_BYTES, open_sealed, seal

INSTANCE_KEYS = ("lookup", "session", "ledger", "receipt")
EMPTY = "The keystore holds no keys yet: start Mindstage once with `mindstage serve`."


@dataclass(frozen=True, slots=True)
class Keyring:
    """The epoch key and the instance's own keys, in memory only."""

    epoch: int
    epoch_key: bytes = field(repr=False)
    instance: dict[str, bytes] = field(repr=False)


_keyring: Keyring | None = None


def keyring(epoch: int | None = None) -> Keyring:
    """The keyring of this process, of the epoch that the keystore is in. Raises KeyMistake."""
    global _keyring
    if _keyring is None or (epoch is not None and _keyring.epoch != epoch):
        _keyring = open_keyring(settings.MINDSTAGE.keys_dir)
    return _keyring


def close_keyring() -> None:
    """Forget the epoch key. For tests and drills that change the files underneath."""
    global _keyring
    _keyring = None


def open_keyring(folder: Path) -> Keyring:
    """Unwrap the epoch key that the keystore names. Raises KeyMistake, with nothing touched."""
    state = read_row(Keystore, "keystore")
    if state is None:
        raise KeyMistake(EMPTY)
    epoch_key = epoch_keys(folder).epoch_key(state.epoch, root=read_root_key(folder))
    rows = InstanceKey.objects.using("keystore").all()
    instance = {row.name: unwrap_instance_key(row, epoch_key) for row in rows}
    return Keyring(state.epoch, epoch_key, instance)


def epoch_keys(folder: Path) -> EpochFile:
    """The epoch file. Raises KeyMistake when there is none."""
    epochs = read_epoch_file(folder)
    if epochs is None:
        raise KeyMistake(f"The epoch file is missing beside {folder / NAME}; nothing was changed.")
    return epochs


def found_keys(folder: Path) -> bool:
    """Make root key, epoch file and keystore of a new instance, in this order; True when something was made.

    Each step is durable before the next, and each is repeated harmlessly after a crash. An instance that already has
    keys or people is never given new ones: raises KeyMistake instead.
    """
    state = read_row(Keystore, "keystore")
    if state is not None or UserKey.objects.using("keystore").exists():
        read_root_key(folder)
        return _add_instance_keys(folder)
    if not (folder / NAME).exists():
        create_root_key(folder)
    root = read_root_key(folder)
    epochs = read_epoch_file(folder)
    if epochs is None:
        epochs = first_epoch(root)
        write_epoch_file(folder, epochs)
    epoch_key = epochs.epoch_key(epochs.newest, root=root)
    with transaction.atomic(using="keystore"):
        rows = [InstanceKey(name=name, wrapped=wrap_instance_key(name, epoch_key)) for name in INSTANCE_KEYS]
        InstanceKey.objects.using("keystore").bulk_create(rows)
        Keystore.objects.using("keystore").create(pk=1, epoch=epochs.newest, generation=1)
    return True


def _add_instance_keys(folder: Path) -> bool:
    """Make the instance's keys that an older program did not know."""
    known = set(InstanceKey.objects.using("keystore").values_list("name", flat=True))
    missing = [name for name in INSTANCE_KEYS if name not in known]
    if missing:
        ring = open_keyring(folder)
        with transaction.atomic(using="keystore"):
            for name in missing:
                InstanceKey.objects.using("keystore").create(name=name, wrapped=wrap_instance_key(name, ring.epoch_key))
        close_keyring()
    return bool(missing)


def wrap_instance_key(name: str, epoch_key: bytes, key: bytes | None = None) -> bytes:
    """An instance key, new unless given, wrapped by an epoch key."""
    return seal(epoch_key, key or os.urandom(KEY_BYTES), b"instance|" + name.encode())


def unwrap_instance_key(row: InstanceKey, epoch_key: bytes) -> bytes:
    """Raises Unreadable."""
    return open_sealed(epoch_key, bytes(row.wrapped), b"instance|" + row.name.encode())
