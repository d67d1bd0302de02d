"""Make, find and forget the keys of people and of what they own. Long story: docs/subsystems/keys.md"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import IntegrityError, connections, transaction
from django.db.models import F

from mindstage.kit import clock
from mindstage.vault.keyring import close_keyring, keyring
from mindstage.vault.models import ItemKey, Keystore, UserKey
from mindstage.vault.sealing import KEY_BYTES, derive, forget_ciphers, open_sealed, seal

type _Unwrap = Callable[[uuid.UUID], bytes]

CACHE_SECONDS = 300
CACHE_KEYS = 10_000
SWEEP_SECONDS = 30
"""How often `forget_old_keys` must be called, so that no key outlives CACHE_SECONDS."""


class KeyGone(Exception):
    """There is no such key: it was destroyed, or its row came back from an older copy than the keystore."""


@dataclass(slots=True)
class _Cache:
    """Unwrapped keys of this process, for five minutes at most, dropped whole when the keystore forgets a key."""

    forgotten: int = -1
    keys: dict[uuid.UUID, tuple[bytes, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_cache = _Cache()


def create_user_key(account: uuid.UUID) -> None:
    """The first durable write of a sign-up: the key before the row it will seal. Raises IntegrityError if it exists."""
    wrapped = seal(keyring().epoch_key, os.urandom(KEY_BYTES), _user_place(account))
    with transaction.atomic(using="keystore"):
        UserKey.objects.using("keystore").create(id=account, wrapped=wrapped)
        _count_commit()


def create_item_key(item: uuid.UUID, *, owner: uuid.UUID) -> None:
    """The first durable write of a new story or character. Raises KeyGone when its owner's key no longer lives."""
    wrapped = seal(_item_wrapping(owner), os.urandom(KEY_BYTES), _item_place(item, owner))
    with transaction.atomic(using="keystore"):
        if not UserKey.objects.using("keystore").select_for_update().filter(pk=owner).exists():
            raise KeyGone
        try:
            ItemKey.objects.using("keystore").create(id=item, owner=owner, wrapped=wrapped)
        except IntegrityError:
            raise KeyGone from None
        _count_commit()


def user_key(account: uuid.UUID) -> bytes:
    """A person's key. Raises KeyGone."""
    return _cached(account, _unwrap_user_key)


def item_key(item: uuid.UUID) -> bytes:
    """The key of a story, character or other item. Raises KeyGone."""
    return _cached(item, _unwrap_item_key)


def text_key(account: uuid.UUID) -> bytes:
    """The key that seals the texts of an account itself (its handle), apart from the one that wraps item keys."""
    return derive(user_key(account), "text")


def instance_key(name: str) -> bytes:
    """A key of the instance: `lookup` or `session`."""
    return keyring().instance[name]


def forget_keys() -> None:
    """Drop every unwrapped key from this process: at log-out, at freeze, and before a census looks."""
    with _cache.lock:
        _cache.keys.clear()
    forget_ciphers()


def forget_old_keys() -> None:
    """Drop the unwrapped keys that would be too old before the next sweep, also of people who never come again."""
    now = clock.timestamp()
    with _cache.lock:
        for ident, (_, since) in list(_cache.keys.items()):
            if not 0 <= now - since < CACHE_SECONDS - SWEEP_SECONDS:
                del _cache.keys[ident]
    forget_ciphers()


def close_vault() -> None:
    """Forget every key, the epoch's too."""
    forget_keys()
    close_keyring()


def _cached(ident: uuid.UUID, unwrap: _Unwrap) -> bytes:
    forgotten, now = _read_forgotten(), clock.timestamp()
    with _cache.lock:
        if _cache.forgotten != forgotten:
            _cache.keys.clear()
            forget_ciphers()
            _cache.forgotten = forgotten
        known = _cache.keys.get(ident)
    if known is not None and 0 <= now - known[1] < CACHE_SECONDS:
        return known[0]
    key = unwrap(ident)
    with _cache.lock:
        if len(_cache.keys) >= CACHE_KEYS:
            _cache.keys.clear()
        _cache.keys[ident] = (key, now)
    return key


def _read_forgotten() -> int:
    """The keystore's count of destroyed keys, by one raw query: it is asked at every opening."""
    with connections["keystore"].cursor() as cursor:
        cursor.execute("SELECT forgotten FROM vault_keystore WHERE id = 1")
        row = cursor.fetchone()
    if row is None:
        raise KeyGone
    return int(row[0])


def _unwrap_user_key(account: uuid.UUID) -> bytes:
    row = UserKey.objects.using("keystore").filter(pk=account).values_list("wrapped").first()
    if row is None:
        raise KeyGone
    return open_sealed(keyring().epoch_key, bytes(row[0]), _user_place(account))


def _unwrap_item_key(item: uuid.UUID) -> bytes:
    row = ItemKey.objects.using("keystore").filter(pk=item).values_list("owner", "wrapped").first()
    if row is None:
        raise KeyGone
    owner, wrapped = row
    return open_sealed(_item_wrapping(owner), bytes(wrapped), _item_place(item, owner))


def _item_wrapping(owner: uuid.UUID) -> bytes:
    return derive(keyring().epoch_key + user_key(owner), "item")


def _count_commit() -> None:
    Keystore.objects.using("keystore").filter(pk=1).update(generation=F("generation") + 1)


def _user_place(account: uuid.UUID) -> bytes:
    return b"user|" + account.bytes


def _item_place(item: uuid.UUID, owner: uuid.UUID) -> bytes:
    return b"item|" + item.bytes + owner.bytes
