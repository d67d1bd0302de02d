"""The web process: uvicorn with the two planes, on a socket that is already bound, with the job worker as its child."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Final

import uvicorn

from mindstage.ops.http_head import BoundedHeadProtocol, raise_handle_limit
from mindstage.ops.starting import Prepared
from mindstage.ops.worker_child import WorkerChild

APPLICATION: Final = "mindstage.config.asgi:application"
DRAIN_SECONDS: Final = 3
"""How long open answers may take to end. With the application's own end and the children's it stays under 5 s."""
WORKER_SECONDS: Final = 2.0
TICK_SECONDS: Final = 1.0
LAST_SECONDS: Final = 4.6
"""What still hangs then, such as a page that waits for a locked database, is cut off. A deed half done is repeated."""


def serve(prepared: Prepared, *, on_ready: Callable[[], None]) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code: 0, or 1 when the application could not start."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignore)  # uvicorn raises the signal again once it has drained: an orderly end is code 0
    raise_handle_limit()
    worker = WorkerChild()
    server = Server(_uvicorn_config(), worker=worker, on_ready=on_ready)
    try:
        server.run(sockets=[prepared.socket])
    finally:
        worker.end(within=WORKER_SECONDS)
        prepared.socket.close()
        os.close(prepared.lock)
    return 0 if server.started else 1


class Server(uvicorn.Server):
    """uvicorn's server, which also says when it is ready and looks after the job worker."""

    def __init__(self, config: uvicorn.Config, *, worker: WorkerChild, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._worker = worker
        self._on_ready = on_ready
        self._asked_to_exit = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            gc.collect()
            # What stands now stands as long as the process: no later collection walks through it. No database
            # connection of this thread may be open here: frozen, it would never be closed, and SQLite leave its log.
            gc.freeze()
            self._on_ready()

    async def main_loop(self) -> None:
        """Once a second, and when asked to exit. uvicorn's own looks ten times a second, at rest as well."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._asked_to_exit.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._asked_to_exit.set)

    async def on_tick(self, counter: int) -> bool:
        from mindstage.vault.start_check import Mode, current_gate  # needs the framework, which is set up by now

        if current_gate().mode is Mode.OPEN:
            self._worker.keep()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        _cut_off_later()
        self._worker.ask_to_end()
        if leave := getattr(self.config.loaded_app, "leave", None):
            leave()  # running replies end now, so that their open streams do not use up the time to drain
        await super().shutdown(sockets)


def _uvicorn_config() -> uvicorn.Config:
    from django.conf import settings  # needs the environment, which the command has set by now

    return uvicorn.Config(
        os.environ.get("MINDSTAGE_APPLICATION", APPLICATION),
        loop="uvloop",
        http=BoundedHeadProtocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.MINDSTAGE.proxy),
        forwarded_allow_ips=settings.MINDSTAGE.proxy,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
        backlog=2048,
        log_level="warning",
    )


def _cut_off_later() -> None:
    timer = threading.Timer(LAST_SECONDS, os._exit, (0,))
    timer.daemon = True
    timer.start()


def _ignore(*_: object) -> None:
    """After the drain there is nothing left to do."""


def end_quietly() -> None:
    """A signal during the preparation ends the program at once, in order."""

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
