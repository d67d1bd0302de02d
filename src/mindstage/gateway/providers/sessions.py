"""The one pooled HTTP client of each event loop."""

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

import aiohttp

CONNECT_SECONDS: Final = 10.0

_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


def shared_session() -> aiohttp.ClientSession:
    """Return this loop's client. It keeps no cookie, reads no proxy variable and names no program."""
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
