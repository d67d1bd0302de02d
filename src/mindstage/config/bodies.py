"""The body of a request to a page: read whole, within limits of size and time, before a thread is spent on it.

The pages run in a few threads. A thread that waits for a slow sender is lost for everybody else, and six such senders
would be enough to close the house; so bodies are gathered on the event loop, where waiting costs no thread. It does
cost memory: so a stranger may send no more than fits into the head of a request anyway, a person sends one longer body
at a time, and the largest take turns and keep their place until their page was made.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from mindstage.streaming.raw import ANYBODYS_BYTES as ANYBODYS_BYTES
from mindstage.streaming.raw import Receive, Scope

SMALL_BODY_BYTES = 1024 * 1024
"""The largest body of an ordinary form; the framework takes no more either (DATA_UPLOAD_MAX_MEMORY_SIZE)."""
CARD_BODY_BYTES = 24 * 1024 * 1024
"""The largest body that a character card, a lorebook or an archive may come in, with some room."""
CARD_PATHS = ("/characters/", "/lorebooks/", "/your-data/imports/")
PICTURE_PATH = re.compile(r"/characters/[0-9a-f-]{36}/picture/")
CARDS_AT_ONCE = 4
SMALL_SECONDS, CARD_SECONDS = 30.0, 180.0

type Whose = Callable[[Scope], Awaitable[UUID | None]]
"""Finds the account that sends a request, by its session; None for somebody who is not signed in."""


class BodyRefused(Exception):
    """The body is not read any further. `sentence` is for people."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(status)
        self.status = status
        self.sentence = sentence


class Bodies:
    """Gathers the bodies of one process, so that all that wait or are being handled fit into the memory together."""

    def __init__(self, whose: Whose) -> None:
        self._whose = whose
        self._cards = asyncio.Semaphore(CARDS_AT_ONCE)
        self._persons: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def gathered(self, scope: Scope, receive: Receive) -> AsyncIterator[Receive | None]:
        """A `receive` that hands the whole body over; None when the sender left. Raises BodyRefused.

        The block is to last as long as the body is needed: its place is free for the next one afterwards.
        """
        length = announced(scope)
        if length > (CARD_BODY_BYTES if _takes_files(scope["path"]) else SMALL_BODY_BYTES):
            raise BodyRefused(413, "That is too large: a file has 20 MB at most. Nothing was changed or imported.")
        async with AsyncExitStack() as places:
            try:
                async with asyncio.timeout(CARD_SECONDS if length > SMALL_BODY_BYTES else SMALL_SECONDS):
                    await self._take_places(scope, length, places)
                    receive_whole = await _read(receive, length)
            except TimeoutError:
                raise BodyRefused(
                    408, "What you sent did not arrive in time. Nothing was changed; try again."
                ) from None
            yield receive_whole

    async def _take_places(self, scope: Scope, length: int, places: AsyncExitStack) -> None:
        """Wait for this body's turn: first among its sender's own, so that nobody holds two places of the house."""
        if length <= ANYBODYS_BYTES:
            return
        person = await self._whose(scope)
        if person is None:
            raise BodyRefused(
                401,
                "You are not logged in, so what you sent was not read. Nothing was changed or imported. Log in in "
                "another tab, then go back and send it once more.",
            )
        await places.enter_async_context(self._persons.setdefault(person, asyncio.Lock()))
        if length > SMALL_BODY_BYTES:
            await places.enter_async_context(self._cards)


def _takes_files(path: str) -> bool:
    return path in CARD_PATHS or PICTURE_PATH.fullmatch(path) is not None


def announced(scope: Scope) -> int:
    """The length of the body that a request announces, in bytes. The framework reads no other body."""
    told = dict(scope["headers"]).get(b"content-length", b"0")
    return int(told) if told.isdigit() and len(told) < 16 else 0


async def _read(receive: Receive, length: int) -> Receive | None:
    body = bytearray()
    while len(body) < length:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return _handing_over(bytes(body))


def _handing_over(body: bytes) -> Receive:
    waiting = [body]

    async def receive() -> dict[str, Any]:
        # Given away, not kept: the page makes copies enough of its own.
        return {"type": "http.request", "body": waiting.pop() if waiting else b"", "more_body": False}

    return receive
