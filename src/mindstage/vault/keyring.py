"""The keyring: what a process needs to unwrap keys. Opened once, from root key, epoch file and keystore."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction

from mindstage.vault.epoch_file import first_epoch, read_epoch_file, write_epoch_file
from mindstage.vault.models import InstanceKey, Keystore, UserKey
from mindstage.vault.root_key import NAME, KeyMistake, create_root_key, read_root_key
from mindstage.vault.sealing import KEY_BYTES, open_sealed, seal

INSTANCE_KEYS = ("lookup", "session")


@dataclass(frozen=True, slots=True)
class Keyring:
    """The epoch key and the instance's own keys, in memory only."""

    epoch: int
    epoch_key: bytes = field(repr=False)
    instance: dict[str, bytes] = field(repr=False)


_keyring: Keyring | None = None


def keyring() -> Keyring:
    """The keyring of this process, opened at its first use. Raises KeyMistake."""
    global _keyring
    if _keyring is None:
        _keyring = open_keyring(settings.MINDSTAGE.keys_dir)
    return _keyring


def close_keyring() -> None:
    """Forget the epoch key. For tests and drills that change the files underneath."""
    global _keyring
    _keyring = None


def open_keyring(folder: Path) -> Keyring:
    """Unwrap the epoch key that the keystore names. Raises KeyMistake, with nothing touched."""
    state = Keystore.objects.using("keystore").filter(pk=1).first()
    if state is None:
        raise KeyMistake("The keystore holds no keys yet: start Mindstage once with `mindstage serve`.")
    root = read_root_key(folder)
    epochs = read_epoch_file(folder)
    if epochs is None:
        raise KeyMistake(f"The epoch file is missing beside {folder / NAME}; nothing was changed.")
    epoch_key = epochs.epoch_key(state.epoch, root=root)
    rows = InstanceKey.objects.using("keystore").all()
    instance = {row.name: open_sealed(epoch_key, bytes(row.wrapped), _place(row.name)) for row in rows}
    return Keyring(state.epoch, epoch_key, instance)


def found_keys(folder: Path) -> bool:
    """Make root key, epoch file and keystore of a new instance, in this order; True when something was made.

    Each step is durable before the next, and each is repeated harmlessly after a crash. An instance that already has
    keys or people is never given new ones: raises KeyMistake instead.
    """
    made = False
    state = Keystore.objects.using("keystore").filter(pk=1).first()
    if state is not None or UserKey.objects.using("keystore").exists():
        read_root_key(folder)
        return made
    if not (folder / NAME).exists():
        create_root_key(folder)
        made = True
    root = read_root_key(folder)
    epochs = read_epoch_file(folder)
    if epochs is None:
        epochs = first_epoch(root)
        write_epoch_file(folder, epochs)
    epoch_key = epochs.epoch_key(epochs.newest, root=root)
    with transaction.atomic(using="keystore"):
        for name in INSTANCE_KEYS:
            wrapped = seal(epoch_key, os.urandom(KEY_BYTES), _place(name))
            InstanceKey.objects.using("keystore").create(name=name, wrapped=wrapped)
        Keystore.objects.using("keystore").create(pk=1, epoch=epochs.newest, generation=1)
    return True


def _place(name: str) -> bytes:
    return b"instance|" + name.encode()
