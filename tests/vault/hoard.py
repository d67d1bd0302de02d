"""The keystore as an attacker sees it who kept every file of it."""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass
from typing import Any

from mindstage.vault.sealing import Unreadable
from mindstage.vault.wrapping import unwrap_backup_key, unwrap_item_key, unwrap_user_key


@dataclass(frozen=True)
class OldKeystore:
    """A keystore file that somebody kept."""

    epoch: int
    users: dict[uuid.UUID, bytes]
    items: dict[uuid.UUID, tuple[uuid.UUID, bytes]]
    backups: dict[uuid.UUID, bytes]

    def opens(self, subject: uuid.UUID, key: bytes) -> bool:
        """Whether an epoch key gives the key of a person or an item out of this file."""
        try:
            if subject in self.users:
                return bool(unwrap_user_key(subject, self.users[subject], epoch_key=key))
            owner, wrapped = self.items[subject]
            user = unwrap_user_key(owner, self.users[owner], epoch_key=key)
            return bool(unwrap_item_key(subject, owner, wrapped, epoch_key=key, user_key=user))
        except (Unreadable, KeyError):
            return False

    def opens_backup(self, backup: uuid.UUID, key: bytes) -> bool:
        """Whether an epoch key gives the key of a backup out of this file."""
        try:
            return backup in self.backups and bool(unwrap_backup_key(backup, self.backups[backup], epoch_key=key))
        except Unreadable:
            return False


def read_old(content: Any) -> OldKeystore | None:
    """A keystore that somebody kept: the bytes of its file, or the dump of its tables."""
    return _read_file(content) if isinstance(content, bytes) else _read_dump(content)


def _read_dump(dump: Any) -> OldKeystore | None:
    columns, rows = dump["vault_keystore"]
    users = {ident: bytes(wrapped) for ident, wrapped in dump["vault_userkey"][1]}
    items = {ident: (owner, bytes(wrapped)) for ident, owner, wrapped in dump["vault_itemkey"][1]}
    backups = {row[0]: bytes(row[1]) for row in dump["vault_backupkey"][1]}
    return OldKeystore(dict(zip(columns, rows[0], strict=True))["epoch"], users, items, backups) if rows else None


def _read_file(content: bytes) -> OldKeystore | None:
    raw = sqlite3.connect(":memory:")
    try:
        raw.deserialize(content)
        rows = raw.execute("SELECT epoch FROM vault_keystore").fetchall()
        users = {uuid.UUID(k): bytes(w) for k, w in raw.execute("SELECT id, wrapped FROM vault_userkey")}
        items = {
            uuid.UUID(k): (uuid.UUID(o), bytes(w))
            for k, o, w in raw.execute("SELECT id, owner, wrapped FROM vault_itemkey")
        }
        backups = {uuid.UUID(k): bytes(w) for k, w in raw.execute("SELECT id, wrapped FROM vault_backupkey")}
        return OldKeystore(rows[0][0], users, items, backups) if rows else None
    finally:
        raw.close()
