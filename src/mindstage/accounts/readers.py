"""Who is being sent something over the raw plane, and by which session: nothing goes on after a log-out.

A stream or a download asks for its session once, when it begins, and may last for minutes. While it lasts it stands
here with the hash of its cookie. Whenever sessions end in this process, and every few seconds besides (another process
may have ended them), one query finds those whose session is gone, and they are cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Protocol

from mindstage.accounts.sessions import living_sessions, on_ended_sessions, session_key_hash
from mindstage.kit.loops import call_on


class Database(Protocol):
    """The thread that owns a connection (stories.database_thread)."""

    async def run[T](self, work: Callable[[], T], *, acknowledges: bool = True) -> T: ...


class Readers:
    """The readers of one event loop. Every method is called on that loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sending: dict[asyncio.Future[Any], bytes] = {}
        self._looking: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Look again whenever a session ends in this process, in whatever thread."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            call_on(loop, self._look_soon)

        on_ended_sessions("readers", look)

    @contextmanager
    def reading(self, cookie: str, sending: asyncio.Future[Any]) -> Iterator[None]:
        """`sending` is cancelled when the session of `cookie` ends within the block."""
        self._sending[sending] = session_key_hash(cookie)
        try:
            yield
        finally:
            del self._sending[sending]

    async def cut_off(self) -> None:
        """End what goes to browsers whose session is gone."""
        asked = set(self._sending.values())
        if not asked:
            return
        living = await self._database.run(partial(living_sessions, asked), acknowledges=False)
        gone = asked - living
        for sending in [sending for sending, session in self._sending.items() if session in gone]:
            sending.cancel()

    def _look_soon(self) -> None:
        task = asyncio.ensure_future(self._look())
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _look(self) -> None:
        with suppress(Exception):  # the database is busy or away: the next round looks again
            await self.cut_off()
