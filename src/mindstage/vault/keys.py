"""Make, find and forget the keys of people and of what they own. Long story: docs/subsystems/keys.md"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError
from django.db.models import F

from mindstage.kit import clock
from mindstage.vault import raw
from mindstage.vault.keyring import close_keyring, keyring
from mindstage.vault.marks import keystore_commit
from mindstage.vault.models import ItemKey, Keystore, UserKey
from mindstage.vault.sealing import KEY_BYTES, derive, forget_ciphers
from mindstage.vault.wrapping import unwrap_item_key, unwrap_user_key, wrap_item_key, wrap_user_key

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
    with keystore_commit() as state:
        wrapped = wrap_user_key(account, os.urandom(KEY_BYTES), epoch_key=keyring(state.epoch).epoch_key)
        UserKey.objects.using("keystore").create(id=account, wrapped=wrapped)


def create_item_key(item: uuid.UUID, *, owner: uuid.UUID) -> None:
    """The first durable write of a new story or character. Raises KeyGone when its owner's key no longer lives."""
    with keystore_commit() as state:
        epoch_key = keyring(state.epoch).epoch_key
        person = UserKey.objects.using("keystore").select_for_update().filter(pk=owner).first()
        if person is None:
            raise KeyGone
        user = unwrap_user_key(owner, bytes(person.wrapped), epoch_key=epoch_key)
        wrapped = wrap_item_key(item, owner, os.urandom(KEY_BYTES), epoch_key=epoch_key, user_key=user)
        ItemKey.objects.using("keystore").create(id=item, owner=owner, wrapped=wrapped)


def destroy_item_key(item: uuid.UUID) -> None:
    """End the key of what dies by the clock and stands in no ledger: the file of an export."""
    if not ItemKey.objects.using("keystore").filter(pk=item).exists():
        return
    with keystore_commit() as state:
        ItemKey.objects.using("keystore").filter(pk=item).delete()
        state.dirty = True
        state.forgotten += 1


def user_key(account: uuid.UUID) -> bytes:
    """A person's key. Raises KeyGone."""
    return _cached(account, _unwrap_user_key)


def item_key(item: uuid.UUID) -> bytes:
    """The key of a story, character or other item. Raises KeyGone."""
    return _cached(item, _unwrap_item_key)


def owner_of(ident: uuid.UUID) -> uuid.UUID:
    """Whose an item is; an account is its own. Raises KeyGone."""
    owner = ItemKey.objects.using("keystore").filter(pk=ident).values_list("owner", flat=True).first()
    if owner is None and not UserKey.objects.using("keystore").filter(pk=ident).exists():
        raise KeyGone
    return owner or ident


def owners_of(idents: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The same of many at once; whose key is gone is not among them. Raw: asked every few seconds while one plays."""
    wanted, found = list(idents), dict[uuid.UUID, uuid.UUID]()
    for at in range(0, len(wanted), 500):
        some = wanted[at : at + 500]
        found |= _read_owners("SELECT id, owner FROM vault_itemkey", some)
        if accounts := [ident for ident in some if ident not in found]:
            found |= _read_owners("SELECT id, id FROM vault_userkey", accounts)
    return found


def _read_owners(selected: str, idents: Sequence[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    sql = f"{selected} WHERE id IN ({', '.join(['%s'] * len(idents))})"
    return {raw.as_uuid(ident): raw.as_uuid(owner) for ident, owner in raw.query(sql, idents, alias="keystore")}


def text_key(account: uuid.UUID) -> bytes:
    """The key that seals the texts of an account itself (its handle), apart from the one that wraps item keys."""
    return derive(user_key(account), "text")


def instance_key(name: str) -> bytes:
    """A key of the instance: `lookup` or `session`."""
    return keyring().instance[name]


def forget_keys() -> None:
    """Drop every unwrapped key from this process."""
    with _cache.lock:
        _cache.keys.clear()
    forget_ciphers()


def forget_everywhere() -> None:
    """The same in every process, at log-out and at freeze: each compares the keystore's count at its next opening.

    A keystore that cannot be written to keeps nobody from leaving: the others forget within five minutes then.
    """
    forget_keys()
    with suppress(DatabaseError):
        Keystore.objects.using("keystore").update(forgotten=F("forgotten") + 1)


def forget_key(ident: uuid.UUID) -> None:
    """Drop one unwrapped key, so that the next opening costs the same whether or not this process held it."""
    with _cache.lock:
        _cache.keys.pop(ident, None)


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
    rows = raw.query("SELECT forgotten FROM vault_keystore WHERE id = 1", alias="keystore")
    if not rows:
        raise KeyGone
    return int(rows[0][0])


def _unwrap_user_key(account: uuid.UUID) -> bytes:
    row = _read(
        "SELECT k.epoch, u.wrapped FROM vault_keystore k JOIN vault_userkey u ON u.id = %s WHERE k.id = 1", account
    )
    epoch, wrapped = row
    return unwrap_user_key(account, bytes(wrapped), epoch_key=keyring(epoch).epoch_key)


def _unwrap_item_key(item: uuid.UUID) -> bytes:
    row = _read(
        "SELECT k.epoch, i.owner, i.wrapped, u.wrapped FROM vault_keystore k JOIN vault_itemkey i ON i.id = %s "
        "JOIN vault_userkey u ON u.id = i.owner WHERE k.id = 1",
        item,
    )
    epoch, owner, wrapped, person = row
    owner = raw.as_uuid(owner)
    epoch_key = keyring(epoch).epoch_key
    user = unwrap_user_key(owner, bytes(person), epoch_key=epoch_key)
    return unwrap_item_key(item, owner, bytes(wrapped), epoch_key=epoch_key, user_key=user)


def _read(sql: str, ident: uuid.UUID) -> tuple[Any, ...]:
    """One row by one statement, so that keys and epoch are of one moment while the epoch turns. Raises KeyGone."""
    rows = raw.query(sql, [ident], alias="keystore")
    if not rows:
        raise KeyGone
    return rows[0]
