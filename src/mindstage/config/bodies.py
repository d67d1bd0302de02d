"""The body of a request to a page: read whole, within limits of size and time, before a thread is spent on it.

The pages run in a few threads. A thread that waits for a slow sender is lost for everybody else, and six such senders
would be enough to close the house; so bodies are gathered on the event loop, where waiting costs nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from mindstage.streaming.raw import Receive, Scope

SMALL_BODY_BYTES = 1024 * 1024
"""The largest body of an ordinary form; the framework takes no more either (DATA_UPLOAD_MAX_MEMORY_SIZE)."""
CARD_BODY_BYTES = 24 * 1024 * 1024
"""The largest body that a character card or an archive may come in, with some room."""
CARD_PATHS = ("/characters/", "/your-data/imports/")
CARDS_AT_ONCE = 4
SMALL_SECONDS, CARD_SECONDS = 30.0, 180.0


class BodyRefused(Exception):
    """The body is not read any further. `sentence` is for people."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(status)
        self.status = status
        self.sentence = sentence


class Bodies:
    """Gathers the bodies of one process. Large ones take turns, so that many at once do not fill the memory."""

    def __init__(self) -> None:
        self._cards = asyncio.Semaphore(CARDS_AT_ONCE)

    async def gather(self, scope: Scope, receive: Receive) -> Receive | None:
        """A `receive` that hands the whole body over; None when the sender left. Raises BodyRefused."""
        length = announced(scope)
        if length > (CARD_BODY_BYTES if scope["path"] in CARD_PATHS else SMALL_BODY_BYTES):
            raise BodyRefused(413, "That is too large: a file has 20 MB at most. Nothing was changed or imported.")
        large = length > SMALL_BODY_BYTES
        turn: AbstractAsyncContextManager[Any] = self._cards if large else nullcontext()
        try:
            async with asyncio.timeout(CARD_SECONDS if large else SMALL_SECONDS), turn:
                body = await _read(receive, length)
        except TimeoutError:
            raise BodyRefused(408, "What you sent did not arrive in time. Nothing was changed; try again.") from None
        return None if body is None else _handing_over(body)


def announced(scope: Scope) -> int:
    """The length of the body that a request announces, in bytes. The framework reads no other body."""
    told = dict(scope["headers"]).get(b"content-length", b"0")
    return int(told) if told.isdigit() and len(told) < 16 else 0


async def _read(receive: Receive, length: int) -> bytes | None:
    body = bytearray()
    while len(body) < length:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return bytes(body)


def _handing_over(body: bytes) -> Receive:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
