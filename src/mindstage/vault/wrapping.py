"""How keys wrap keys: the epoch key wraps a person's key and a backup's; both together wrap the key of an item."""

from __future__ import annotations

import uuid

from mindstage.vault.sealing import derive, open_sealed, seal


def wrap_user_key(account: uuid.UUID, key: bytes, *, epoch_key: bytes) -> bytes:
    return seal(epoch_key, key, b"user|" + account.bytes)


def unwrap_user_key(account: uuid.UUID, wrapped: bytes, *, epoch_key: bytes) -> bytes:
    """Raises Unreadable."""
    return open_sealed(epoch_key, wrapped, b"user|" + account.bytes)


def wrap_item_key(item: uuid.UUID, owner: uuid.UUID, key: bytes, *, epoch_key: bytes, user_key: bytes) -> bytes:
    return seal(_item_wrapping(epoch_key, user_key), key, b"item|" + item.bytes + owner.bytes)


def unwrap_item_key(item: uuid.UUID, owner: uuid.UUID, wrapped: bytes, *, epoch_key: bytes, user_key: bytes) -> bytes:
    """Raises Unreadable."""
    return open_sealed(_item_wrapping(epoch_key, user_key), wrapped, b"item|" + item.bytes + owner.bytes)


def wrap_backup_key(backup: uuid.UUID, key: bytes, *, epoch_key: bytes) -> bytes:
    return seal(epoch_key, key, b"backup|" + backup.bytes)


def unwrap_backup_key(backup: uuid.UUID, wrapped: bytes, *, epoch_key: bytes) -> bytes:
    """Raises Unreadable."""
    return open_sealed(epoch_key, wrapped, b"backup|" + backup.bytes)


def _item_wrapping(epoch_key: bytes, user_key: bytes) -> bytes:
    return derive(epoch_key + user_key, "item")
