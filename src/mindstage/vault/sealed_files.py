"""Files sealed in chunks of 64 KiB, so that any size is written and read with the memory of one chunk.

Format: `MSF1`, 7 random bytes, then chunks of ciphertext and tag. The nonce of a chunk is those 7 bytes, its number (4)
and whether it is the last (1), the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár (2015): a chunk that
is changed, dropped, repeated, moved or missing at the end is unreadable.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mindstage.vault.sealing import Unreadable

MARK = b"MSF1"
CHUNK = 65_536
_TAG = 16
_PREFIX = 7
BEGINNING = len(MARK) + _PREFIX + 2 * (CHUNK + _TAG)
"""Bytes of a file that tell whether a key opens its first chunk: that chunk, and whether another follows."""


def seal_chunks(parts: Iterable[bytes], *, key: bytes, place: bytes) -> Iterator[bytes]:
    """The sealed file, piece by piece, of bytes that arrive in pieces of any size."""
    prefix, aead = os.urandom(_PREFIX), AESGCM(key)
    yield MARK + prefix
    number = 0
    waiting = b""
    for part in parts:
        waiting += part
        while len(waiting) > CHUNK:  # the last chunk is only known at the end, so one is always held back
            yield aead.encrypt(_nonce(prefix, number, last=False), waiting[:CHUNK], place)
            waiting = waiting[CHUNK:]
            number += 1
    yield aead.encrypt(_nonce(prefix, number, last=True), waiting, place)


def open_chunks(file: BinaryIO, *, key: bytes, place: bytes) -> Iterator[bytes]:
    """The plain bytes, piece by piece. Raises Unreadable at the first piece that is not as it was sealed."""
    head = file.read(len(MARK) + _PREFIX)
    if head[: len(MARK)] != MARK or len(head) != len(MARK) + _PREFIX:
        raise Unreadable("not a sealed file of Mindstage")
    prefix, aead = head[len(MARK) :], AESGCM(key)
    number = 0
    chunk = file.read(CHUNK + _TAG)
    while True:
        following = file.read(CHUNK + _TAG)
        try:
            yield aead.decrypt(_nonce(prefix, number, last=not following), chunk, place)
        except InvalidTag:
            raise Unreadable("the sealed file was cut short or changed") from None
        if not following:
            return
        chunk = following
        number += 1


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4) + bytes([last])
