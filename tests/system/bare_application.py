"""The smallest application that the server can serve: for tests of the server alone.

`/slow` answers piece by piece until it is cut off, as a stream of a story does. After `/hang` its end never comes.
"""

from __future__ import annotations

import asyncio
from typing import Any

_hanging = asyncio.Event()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["path"] == "/slow":
        await _start(send)
        while True:
            await send({"type": "http.response.body", "body": b"word ", "more_body": True})
            await asyncio.sleep(0.05)
    else:
        if scope["path"] == "/hang":
            _hanging.set()
        await _start(send)
        await send({"type": "http.response.body", "body": b'{"ready": true}'})


async def _live(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        if kind == "lifespan.shutdown" and _hanging.is_set():
            await asyncio.sleep(60)
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def _start(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
