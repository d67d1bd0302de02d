"""A small HTTP/1.1 client that times streamed answers; no task a stream, so that it stays out of the figures."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

FIRST_WORD = b"w0"
ENDINGS = (b"data: [DONE]", b"event: done")
LONGEST_WAIT = 120.0


@dataclass(slots=True)
class Asked:
    """One request: where to, and what."""

    url: str
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        parts = urlsplit(self.url)
        body = json.dumps(self.body).encode()
        origin = f"{parts.scheme}://{parts.netloc}"
        lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", f"Origin: {origin}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += ["Content-Type: application/json", "Connection: close", f"Content-Length: {len(body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(slots=True)
class Timed:
    """What one streamed answer did, in milliseconds after it was asked for; None: it never came."""

    first: float | None = None
    total: float | None = None
    whole: bool = False
    status: int = 0


class _Stream(asyncio.Protocol):
    """Watches for the first word, the last word and the ending; keeps no text."""

    def __init__(self, asked: bytes, last_word: bytes) -> None:
        self.asked = asked
        self.last_word = last_word
        self.timed = Timed()
        self.ended: asyncio.Future[Timed] = asyncio.get_running_loop().create_future()
        self.began = time.perf_counter()
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.asked)

    def data_received(self, data: bytes) -> None:
        seen = self._tail + data
        if not self.timed.status:
            self.timed.status = int(seen.split(b" ", 2)[1])
        if self.timed.first is None and FIRST_WORD in seen:
            self.timed.first = self._now()
        if self.last_word in seen:
            self.timed.whole = True
        if any(ending in seen for ending in ENDINGS):
            self.timed.total = self._now()
            self.transport.close()
        self._tail = seen[-32:]

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(self.timed)

    def _now(self) -> float:
        return (time.perf_counter() - self.began) * 1000


async def stream(asked: Asked, *, words: int) -> Timed:
    """Ask, and time the answer, which must bring `words` numbered words. Never raises for a broken one."""
    parts = urlsplit(asked.url)
    host, port = parts.hostname or "", parts.port or 80
    loop = asyncio.get_running_loop()
    last = f"w{words - 1}".encode()
    try:
        _, protocol = await loop.create_connection(lambda: _Stream(asked.to_bytes(), last), host, port)
        return await asyncio.wait_for(protocol.ended, LONGEST_WAIT)
    except (OSError, TimeoutError):
        return Timed()
