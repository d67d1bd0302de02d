"""One spelling for one value: bytes that are sealed, hashed or compared."""

from __future__ import annotations

import json
from typing import Any


def to_bytes(value: Any) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8. Raises ValueError for NaN and infinities, TypeError for other types."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
