"""The root application, two planes: `/stream/…` is raw ASGI, everything else is Django's WSGI handler in a few threads.

Django's own async path costs 1.5 to 1.9 times its WSGI path, and a streaming Django view holds a thread and a database
connection for as long as it streams; so nothing streams from a view. docs/decisions/0001
"""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from itertools import chain, repeat
from typing import Any, cast
from uuid import UUID

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError

from mindstage.accounts.sessions import find_session
from mindstage.config.bodies import Bodies, BodyRefused
from mindstage.config.closed import say_closed
from mindstage.gateway import converse
from mindstage.kit.large_pages import gather_memory
from mindstage.rights.endpoint import ExportPlane
from mindstage.stories.database_thread import start_database_thread, stop_database_thread
from mindstage.stories.endpoint import StreamPlane
from mindstage.stories.form_turns import open_door
from mindstage.stories.generation import Narration
from mindstage.stories.hot_path import mark_interrupted
from mindstage.streaming.bus import Bus
from mindstage.streaming.raw import SECURITY_HEADERS, Receive, Scope, Send, read_request
from mindstage.vault.keyring import keyring
from mindstage.vault.keys import SWEEP_SECONDS, forget_old_keys
from mindstage.vault.start_check import Mode, current_gate

log = logging.getLogger(__name__)

PAGE_THREADS = 6
FIRST_GATHERING, NEXT_GATHERING = 10.0, 600.0
"""Seconds. docs/decisions/0013"""


class Application:
    """Routes by path. Between start-up and shutdown it holds the running replies of this process."""

    def __init__(self) -> None:
        self.pages: Any = WSGIMiddleware(cast(Any, get_wsgi_application()), workers=PAGE_THREADS)
        self.bodies = Bodies(self._whose)
        self.streams: StreamPlane | None = None
        self.exports: ExportPlane | None = None

    def leave(self) -> None:
        """The server is about to drain: running replies end now, marked as interrupted, so their readers can go."""
        if self.streams is not None:
            self.streams.narration.leave()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/healthz":
            await _say_ready(send, ready=self.streams is not None)
        elif scope["type"] == "http" and current_gate().mode is not Mode.OPEN:
            await say_closed(scope, send, current_gate().why)
        elif scope["type"] == "http" and scope["path"].startswith("/stream/exports/") and self.exports is not None:
            await self.exports(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith("/stream/") and self.streams is not None:
            await self.streams(scope, receive, send)
        elif scope["type"] == "http":
            await self._make_page(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _make_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self.bodies.gathered(scope, receive) as gathered:
                if gathered:
                    await self.pages(scope, gathered, send)
        except BodyRefused as refused:
            await _refuse_body(scope, send, refused)

    async def _whose(self, scope: Scope) -> UUID | None:
        cookie = read_request(scope).cookie
        if not cookie or self.streams is None:
            return None
        try:
            visitor = await self.streams.database.run(partial(find_session, cookie), acknowledges=False)
        except DatabaseError:
            log.exception("nobody could be asked whose a body is")
            raise BodyRefused(
                503, "A database of this copy is locked, full or away. Nothing was changed; try again in a moment."
            ) from None
        return visitor.account_id if visitor else None

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        narration = await self._open() if current_gate().mode is Mode.OPEN else None
        at_rest = [asyncio.create_task(_forget_keys_in_time()), asyncio.create_task(_gather_memory_now_and_then())]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in at_rest:
            task.cancel()
        self.streams = self.exports = None
        if narration is None:
            await send({"type": "lifespan.shutdown.complete"})
            return
        await narration.close()
        await converse.close()
        stop_database_thread()
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self) -> Narration:
        database = start_database_thread()
        await database.run(keyring)
        await database.run(mark_interrupted)
        narration = Narration(bus=Bus(), database=database)
        narration.open()
        open_door(narration)
        self.streams = StreamPlane(narration)
        self.exports = ExportPlane(database, narration.readers)
        return narration


async def _forget_keys_in_time() -> None:
    """The promise of five minutes holds for people who have left, too."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        forget_old_keys()


async def _gather_memory_now_and_then() -> None:
    """Not at once: the first pages and the first turn ask for more memory, and nobody waits for this meanwhile."""
    for pause in chain((FIRST_GATHERING,), repeat(NEXT_GATHERING)):
        await asyncio.sleep(pause)
        await asyncio.to_thread(gather_memory)


async def _refuse_body(scope: Scope, send: Send, refused: BodyRefused) -> None:
    """For our scripts as JSON; for a form as a line of text, since no page is made for what was not read."""
    asked = dict(scope["headers"])
    to_script = asked.get(b"x-partial") == b"1" or b"application/json" in asked.get(b"accept", b"")
    kind, body = (
        (b"application/json", json.dumps({"say": refused.sentence}))
        if to_script
        else (b"text/plain; charset=utf-8", f"{refused.sentence}\n")
    )
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), (b"connection", b"close"), *SECURITY_HEADERS]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})


async def _say_ready(send: Send, *, ready: bool) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200 if ready else 503, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"ready": true}' if ready else b'{"ready": false}'})
