"""Server-sent events (WHATWG HTML, section 9.2): how a frame is written, and how a reader says where it was."""

from __future__ import annotations

import json
from typing import Any

HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

KEEP_ALIVE = b": .\n\n"
"""A comment, so that proxies and phones do not think the stream dead while a model reads."""


def frame(event: str, data: Any, *, ident: int | None = None) -> bytes:
    """One frame. `data` is written as one line of JSON; `ident` comes back as Last-Event-ID when the reader resumes."""
    head = f"id: {ident}\n" if ident is not None else ""
    return f"{head}event: {event}\ndata: {_ENCODER.encode(data)}\n\n".encode()


def resume_point(text: str | None) -> int:
    """The number of characters that a returning reader already has; 0 when it says nothing sensible."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
