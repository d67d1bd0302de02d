"""Identifiers. They are made in the program, so that a sealed value can be bound to its row before the insert."""

from __future__ import annotations

import os
import uuid

from mindstage.kit import clock


def sequential() -> uuid.UUID:
    """A UUIDv7 (RFC 9562, section 5.7): sorts by millisecond, 74 random bits. For rows that only their owner sees."""
    milliseconds = int(clock.timestamp() * 1000) & ((1 << 48) - 1)
    random = int.from_bytes(os.urandom(10))
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    return uuid.UUID(int=value)


def unordered() -> uuid.UUID:
    """A UUIDv4: tells nothing, not even when it was made. For accounts and for whatever others see."""
    return uuid.uuid4()
