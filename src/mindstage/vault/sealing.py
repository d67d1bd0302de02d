"""Seal and open bytes: AES-256-GCM, a fresh 96-bit nonce each time, bound to a place by associated data.

A sealed value is `suite | key version | nonce (12) | ciphertext and tag`. The suite byte lets a later program change
the algorithm and still read what lies there. NIST SP 800-38D asks for fewer than 2**32 random nonces under one key;
a story key seals one story and a user key one account, so that bound is far away.
"""

from __future__ import annotations

import hmac
import os
import uuid
from collections.abc import Iterable, Iterator
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SUITE_AES_256_GCM = 1
KEY_VERSION = 1
KEY_BYTES = 32
_HEAD = bytes((SUITE_AES_256_GCM, KEY_VERSION))
_NONCE_BYTES = 12
OVERHEAD = len(_HEAD) + _NONCE_BYTES + 16
EXPANDED = 512
"""Keys that a process keeps expanded."""


class Unreadable(Exception):
    """The sealed value does not open here: wrong key, another row's value, or changed bytes."""


class Sealed(bytes):
    """Bytes that are sealed. Only these may be written to a sealed column."""

    def __repr__(self) -> str:
        return f"<Sealed {len(self)} bytes>"


class Cipher:
    """How bytes are sealed. There is one; a census injects another to prove that its scanner can see."""

    def seal(self, key: bytes, plain: bytes, aad: bytes) -> Sealed:
        nonce = os.urandom(_NONCE_BYTES)
        return Sealed(_HEAD + nonce + _aead(key).encrypt(nonce, plain, aad))

    def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
        if sealed[:2] != _HEAD:
            raise Unreadable("sealed by a suite that this program does not know")
        try:
            return _aead(key).decrypt(sealed[2 : 2 + _NONCE_BYTES], sealed[2 + _NONCE_BYTES :], aad)
        except InvalidTag:
            raise Unreadable("the sealed value does not belong here or was changed") from None


cipher = Cipher()


def seal(key: bytes, plain: bytes, aad: bytes) -> Sealed:
    """Seal `plain` under a 32-byte `key`, bound to `aad`."""
    return cipher.seal(key, plain, aad)


def open_sealed(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """The bytes that were sealed. Raises Unreadable."""
    return cipher.open(key, sealed, aad)


def open_any(key: bytes, tries: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Of many sealed values, each with its associated data, those that this one key opens: number and bytes of each.

    The key is expanded once, and a value that stays shut costs a microsecond: a census tries millions.
    """
    decrypt = AESGCM(key).decrypt
    for number, (sealed, aad) in enumerate(tries):
        try:
            text = decrypt(sealed[2 : 2 + _NONCE_BYTES], sealed[2 + _NONCE_BYTES :], aad)
        except InvalidTag:
            continue
        if sealed[:2] == _HEAD:
            yield number, text


def place(table: str, column: str, row: uuid.UUID, keyed_to: uuid.UUID, version: int = 1) -> bytes:
    """Associated data: table, column and row that a value belongs to, and the account or item whose key seals it."""
    return b"%s|%s|%d|" % (table.encode(), column.encode(), version) + row.bytes + keyed_to.bytes


def derive(key: bytes, info: str) -> bytes:
    """A 32-byte key for one use, by HKDF-SHA256 (RFC 5869), so that no key serves two."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info.encode()).derive(key)


def tag(key: bytes, value: bytes) -> bytes:
    """HMAC-SHA256 of `value`: 32 bytes that only the holder of `key` can compute or compare."""
    return hmac.digest(key, value, "sha256")


@lru_cache(maxsize=EXPANDED)
def _aead(key: bytes) -> AESGCM:
    return AESGCM(key)


def forget_ciphers() -> None:
    """Drop the expanded keys that this process holds. Called whenever keys are forgotten."""
    _aead.cache_clear()
