"""The one pooled HTTP client of each event loop.

The library behind it is loaded by the first request: a fifth of the work of a start, and no page asks for it. Nobody is
told anything before that request, so nobody's words wait meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import aiohttp

CONNECT_SECONDS: Final = 10.0

_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


def shared_session() -> aiohttp.ClientSession:
    """Return this loop's client. It keeps no cookie, reads no proxy variable and names no program."""
    import aiohttp

    loop = asyncio.get_running_loop()
    session = _sessions.get(loop)
    if session is None or session.closed:
        session = _sessions[loop] = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=["User-Agent"],
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        )
    return session


async def close_sessions() -> None:
    """Close this loop's client; a later call opens a fresh one."""
    if session := _sessions.pop(asyncio.get_running_loop(), None):
        await session.close()
