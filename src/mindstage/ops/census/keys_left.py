"""Every key that somebody holds who took the root key and kept whatever lay in data, backups and keystore copies.

Left out are old copies of the epoch file and of its escrow: whoever kept those beside the root key opens what they
wrapped, as docs/subsystems/restore.md says, and no program can prevent it.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mindstage.ops.census.places import open_to_read
from mindstage.vault.copies import KeystoreCopy, NoCopy, from_json, open_copy
from mindstage.vault.epoch_file import read_epoch_file
from mindstage.vault.root_key import read_root_key
from mindstage.vault.sealing import Unreadable, derive, open_sealed
from mindstage.vault.wrapping import unwrap_backup_key, unwrap_item_key, unwrap_user_key


@dataclass(slots=True)
class WrappedKeys:
    """One keystore, as a file or as a copy holds it: identifiers and what is wrapped."""

    users: dict[uuid.UUID, bytes]
    items: dict[uuid.UUID, tuple[uuid.UUID, bytes]]
    backups: dict[uuid.UUID, bytes]
    instance: dict[str, bytes]


@dataclass(slots=True)
class Keys:
    """What could be unwrapped. `of` an account, an item or a backup: the keys that seal something of it."""

    of: dict[uuid.UUID, set[bytes]] = field(default_factory=dict, repr=False)
    owners: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)
    instance: dict[str, bytes] = field(default_factory=dict, repr=False)
    others: set[bytes] = field(default_factory=set, repr=False)
    keystores: int = 0

    def all(self) -> list[bytes]:
        """Every one of them, once."""
        return list(self.others.union(self.instance.values(), *self.of.values()))


def gather_keys(*, root: Path, epochs: Iterable[Path], keystores: Iterable[Path], copies: Iterable[Path]) -> Keys:
    """Unwrap all that can be: folders of root key and epoch files, keystore files, sealed copies of keystores.

    Raises KeyMistake, OSError, sqlite3.Error.
    """
    keys, root_key = Keys(), read_root_key(root)
    by_number: dict[int, bytes] = {}
    for folder in epochs:
        if file := read_epoch_file(folder):
            by_number |= {number: file.epoch_key(number, root=root_key) for number in file.slots}
    keys.others |= {root_key, *by_number.values(), *(derive(key, "copy") for key in by_number.values())}
    opened = [_of_file(path) for path in keystores] + list(_of_copies(copies, by_number))
    keys.keystores = len(opened)
    for one in opened:
        for epoch_key in by_number.values():
            _unwrap(one, epoch_key, keys)
    for one in opened:
        for epoch_key in by_number.values():
            _unwrap_items(one, epoch_key, keys)
    return keys


def _unwrap(one: WrappedKeys, epoch_key: bytes, keys: Keys) -> None:
    for account, wrapped in one.users.items():
        with suppress(Unreadable):
            key = unwrap_user_key(account, wrapped, epoch_key=epoch_key)
            keys.of.setdefault(account, set()).update((key, derive(key, "text")))
    for backup, wrapped in one.backups.items():
        with suppress(Unreadable):
            keys.of.setdefault(backup, set()).add(unwrap_backup_key(backup, wrapped, epoch_key=epoch_key))
    for name, wrapped in one.instance.items():
        with suppress(Unreadable):
            keys.instance[name] = open_sealed(epoch_key, wrapped, b"instance|" + name.encode())


def _unwrap_items(one: WrappedKeys, epoch_key: bytes, keys: Keys) -> None:
    """An old row of an item is tried with every key that its owner has, whichever copy that came from."""
    for item, (owner, wrapped) in one.items.items():
        keys.owners[item] = owner
        for user_key in keys.of.get(owner, set()).copy():
            with suppress(Unreadable):
                key = unwrap_item_key(item, owner, wrapped, epoch_key=epoch_key, user_key=user_key)
                keys.of.setdefault(item, set()).update((key, derive(key, "file")))


def _of_file(path: Path) -> WrappedKeys:
    with closing(open_to_read(path)) as file:
        return WrappedKeys(
            {uuid.UUID(i): bytes(w) for i, w in _rows(file, "SELECT id, wrapped FROM vault_userkey")},
            {
                uuid.UUID(i): (uuid.UUID(o), bytes(w))
                for i, o, w in _rows(file, "SELECT id, owner, wrapped FROM vault_itemkey")
            },
            {uuid.UUID(i): bytes(w) for i, w in _rows(file, "SELECT id, wrapped FROM vault_backupkey")},
            {str(n): bytes(w) for n, w in _rows(file, "SELECT name, wrapped FROM vault_instancekey")},
        )


def _rows(file: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    return file.execute(query).fetchall()


def _of_copies(paths: Iterable[Path], epoch_keys: dict[int, bytes]) -> Iterator[WrappedKeys]:
    for path in paths:
        with suppress(NoCopy):
            yield _of_copy(open_copy(path, epoch_keys))


def _of_copy(copy: KeystoreCopy) -> WrappedKeys:
    def rows(table: str) -> Iterator[dict[str, Any]]:
        for row in copy.tables.get(table, []):
            yield {name: from_json(value) for name, value in row.items()}

    return WrappedKeys(
        {row["id"]: row["wrapped"] for row in rows("user")},
        {row["id"]: (row["owner"], row["wrapped"]) for row in rows("item")},
        {row["id"]: row["wrapped"] for row in rows("backup")},
        {row["name"]: row["wrapped"] for row in rows("instance")},
    )
