"""A connection is for asking: whoever opens one and does not ask, or never ends the question, is let go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn

from mindstage.ops import http_head
from mindstage.ops.http_head import BoundedHeadProtocol

WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@pytest.fixture
async def address(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server with the protocol and nothing behind it, and very little patience."""
    monkeypatch.setattr(http_head, "HEAD_SECONDS", 0.3)
    config = uvicorn.Config(answer, http=BoundedHeadProtocol, lifespan="off", log_config=None)
    config.load()
    state = uvicorn.server.ServerState()
    made = await asyncio.get_running_loop().create_server(
        lambda: BoundedHeadProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    yield made.sockets[0].getsockname()
    made.close()


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n", WHOLE + b"GET", WHOLE + b"\r\n"])
async def test_who_does_not_ask_is_let_go(address: Any, said: bytes) -> None:
    """Nothing, half a head, half a second head, an empty line: the connection ends."""
    reader, writer = await asyncio.open_connection(*address[:2])
    writer.write(said[: len(WHOLE)])
    if rest := said[len(WHOLE) :]:
        assert b"204" in await reader.readuntil(b"\r\n\r\n")
        writer.write(rest)
    async with asyncio.timeout(5):
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
    writer.close()


async def test_who_asks_is_answered_again_and_again(address: Any) -> None:
    """The limit is each head's own: a connection that is used stays."""
    reader, writer = await asyncio.open_connection(*address[:2])
    for _ in range(4):
        await asyncio.sleep(0.15)
        writer.write(WHOLE)
        assert b"204" in await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def test_the_end_of_a_large_body_is_no_head(address: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body whose last piece is larger than any head is answered, and its connection goes on."""
    monkeypatch.setattr(http_head, "HEAD_BYTES", 1000)  # so small that the body below comes in one piece
    reader, writer = await asyncio.open_connection(*address[:2])
    writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n")
    await asyncio.sleep(0.05)  # so that it comes by itself
    writer.write(b"a" * 5000)
    assert b"204" in await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(0.1)
    writer.write(WHOLE)
    async with asyncio.timeout(5):
        assert b"204" in await reader.readuntil(b"\r\n\r\n")
    writer.close()
