"""uvicorn's HTTP with limits for the head of a request, in bytes and in seconds.

Without them one sender could fill the memory with headers, and a thousand that say nothing could use up every file
handle of the program.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES: Final = 64 * 1024
HEAD_SECONDS: Final = 20.0
MOST_HANDLES: Final = 65_536


class BoundedHeadProtocol(HttpToolsProtocol):
    """Lets go of a connection whose head (request line and headers) is not whole within HEAD_BYTES and HEAD_SECONDS."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reads_head = True
        self._message_ended = False
        self._head_bytes = 0
        self._too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._reads_head and self._too_late is None:
            self._wait_for_head()
        self._message_ended = False
        super().data_received(data)
        if self._reads_head and not self._message_ended:  # the last piece of a body is not the begin of a head
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._let_go()

    def on_headers_complete(self) -> None:
        self._reads_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._reads_head, self._head_bytes = True, 0  # what comes next is another head
        self._message_ended = True
        super().on_message_complete()

    def _wait_for_head(self) -> None:
        self._too_late = self.loop.call_later(HEAD_SECONDS, self._let_go)

    def _stop_waiting(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None

    def _let_go(self) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self.transport.abort()


def raise_handle_limit() -> None:
    """Take as many file handles as the system allows (up to MOST_HANDLES): every reader of a reply holds one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_HANDLES if hard == resource.RLIM_INFINITY else min(hard, MOST_HANDLES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
