"""Identifiers. They are made in the program, so that a sealed value can be bound to its row before the insert."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from mindstage.kit import clock


def sequential() -> uuid.UUID:
    """A UUIDv7 (RFC 9562, section 5.7): sorts by millisecond, 74 random bits. For rows that only their owner sees."""
    milliseconds = int(clock.timestamp() * 1000) & ((1 << 48) - 1)
    random = int.from_bytes(os.urandom(10))
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    return uuid.UUID(int=value)


def in_order() -> Iterator[uuid.UUID]:
    """The same, one after another, for rows whose order counts: two of one millisecond would have none."""
    last = sequential()
    while True:
        yield last
        last = max(sequential(), uuid.UUID(int=last.int + 1))


def made_at(identifier: uuid.UUID) -> datetime | None:
    """When a sequential identifier was made, in UTC; None for one of another kind, or one that names no such time."""
    if identifier.version != 7:
        return None
    try:
        return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)
    except (ValueError, OverflowError):  # identifiers come in with archives, and 48 bits reach past the year 9999
        return None


def unordered() -> uuid.UUID:
    """A UUIDv4: tells nothing, not even when it was made. For accounts and for whatever others see."""
    return uuid.uuid4()
