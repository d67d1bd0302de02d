"""What raw queries give, made equal: SQLite answers with text and numbers where PostgreSQL has types."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime


def as_uuid(value: object) -> uuid.UUID:
    """A UUID out of a row: PostgreSQL gives one, SQLite 32 hexadecimal digits."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(hex=str(value))


def as_moment(value: object) -> datetime:
    """A moment in UTC out of a row: PostgreSQL gives one, SQLite one without its zone, or text."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def as_bytes(value: object) -> bytes:
    """Bytes out of a row, whatever buffer they came in."""
    assert isinstance(value, bytes | memoryview)
    return bytes(value)
