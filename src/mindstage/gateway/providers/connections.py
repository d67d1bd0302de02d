"""Connections to providers, HTTP/1.1: kept for the next request, each with one at a time. docs/decisions/0015

No proxy is asked and no redirect is followed. An answer is handed over in the callback that read it, without a task, a
queue or a buffer between: whoever takes it gets as one piece what came together.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from socket import IPPROTO_TCP, SO_RCVLOWAT, SOCK_STREAM, SOL_SOCKET, TCP_NODELAY
from typing import Final, Protocol, cast
from weakref import WeakKeyDictionary

import aiohappyeyeballs
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from mindstage.gateway.providers.requests import Place, Post

CONNECT_SECONDS: Final = 10.0
ALONE_SECONDS: Final = 0.25
"""How long one of a name's addresses is tried before the next one is too (RFC 8305, section 5)."""
KEPT_SECONDS: Final = 30.0
HUNG_UP_SECONDS: Final = 1.0
"""Within these a connection that was hung up meanwhile says so: a round trip. Later, somebody had read the request."""
LONGEST_HEAD: Final = 65_536
LONGEST_TAIL: Final = 65_536
TAIL_SECONDS: Final = 2.0


class Unreachable(Exception):
    """Nobody answers at this place, or not as whom the address names. Nothing was sent."""


class Lost(Exception):
    """The connection broke, or what came over it was no HTTP. `begun`: something of an answer had come."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__()
        self.begun = begun


class Taker(Protocol):
    """Who takes an answer. What a method raises ends the exchange and the connection."""

    def begin(self, connection: Connection, status: int, headers: Mapping[str, str]) -> None:
        """The head has come. Names of headers are in small letters."""

    def take(self, body: bytes) -> bool:
        """More of the body: all that came together. True when this is enough."""


class _Exchange:
    """One request on a connection, and how far its answer has been read. The parser calls it back."""

    def __init__(self, connection: Connection, taker: Taker) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.parser = HttpResponseParser(self)
        self.whole = self.may_stay = False
        self.tail = 0
        self._connection = connection
        self._taker: Taker | None = taker
        self._heard = 0
        self._status = 0
        self._begun = False
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []

    @property
    def begun(self) -> bool:
        return self._heard > 0

    def feed(self, data: bytes) -> None:
        """Read on, and hand over what can be. Raises Lost, and whatever the taker raises."""
        self._heard += len(data)
        try:
            self.parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            raise Lost(begun=True) from None
        if not self._status and self._heard > LONGEST_HEAD:
            raise Lost(begun=True)
        body, self._pieces = b"".join(self._pieces), []
        if self.done.done() or self._taker is None:
            self.tail += len(data)
        elif self._status:
            self._hand_over(self._taker, body)

    def forget_taker(self) -> None:
        """Nothing more is handed over; who took it, and what they know, is not held by a tail."""
        self._taker = None

    def end(self) -> None:
        """Nothing more is read. Let go of what holds this in turn, the parser, and a failure by the frames that it
        passed: such rings would stay until Python looks for garbage.
        """
        self.forget_taker()
        del self.parser, self.done

    def _hand_over(self, taker: Taker, body: bytes) -> None:
        if not self._begun:
            self._begun = True
            taker.begin(self._connection, self._status, self._headers)
        if (body and taker.take(body)) or self.whole:
            self.done.set_result(None)

    def on_message_begin(self) -> None:
        if self.whole:
            self.may_stay = False  # nobody asked for a second answer
        else:
            self._headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.whole:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if not self.whole and status >= 200:  # below it is a sign of life, and the answer follows
            self._status = status

    def on_body(self, body: bytes) -> None:
        if not self.whole:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        if self._status and not self.whole:
            self.whole, self.may_stay = True, self.parser.should_keep_alive()


class Connection(asyncio.Protocol):
    """One connection. It is in an exchange, or reads the tail of one aside, or lies in its pool."""

    def __init__(self, place: Place, pool: Pool) -> None:
        self.place = place
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._exchange: _Exchange | None = None
        self._keeps = False
        self._ends: asyncio.TimerHandle | None = None

    async def exchange(self, post: Post, taker: Taker) -> None:
        """Send, and hand over the answer until its end, or until its taker has enough. Raises Lost."""
        self._end_by(None)
        self._exchange = _Exchange(self, taker)
        self._keeps = post.keeps
        self._transport.write(post.written)
        try:
            await self._exchange.done
        except BaseException:
            self._let_go()
            self.close()
            raise
        self._exchange.forget_taker()
        if self._exchange.whole or not self.is_open:
            self._rest()
        else:
            self._end_by(TAIL_SECONDS)

    def wake_for(self, size: int) -> None:
        """Let the system wake us for so many bytes or an end, and for no less (socket(7), SO_RCVLOWAT).

        A transport whose reading is paused would be woken once more by the next byte: uvloop lets go of a socket only
        then. Where the system cannot do it, each byte wakes.
        """
        if self.is_open:
            with suppress(OSError):
                self._transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVLOWAT, size)

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:  # nobody asked
            self.close()
            return
        try:
            exchange.feed(data)
        except Exception as failure:
            self._fail(failure)
            return
        if exchange.done.done() and self._ends:  # its tail, which nobody waits for
            if exchange.whole:
                self._rest()
            elif exchange.tail > LONGEST_TAIL:
                self.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._pool.drop(self)
        if self._ends:  # nobody waits for anything
            self._end_by(None)
            self._let_go()
        elif self._exchange is not None:
            self._fail(Lost(begun=self._exchange.begun))

    def _fail(self, failure: Exception) -> None:
        if self._exchange and not self._exchange.done.done():
            self._exchange.done.set_exception(failure)
        self.close()

    def _rest(self) -> None:
        """The answer is over: lie in the pool for a while, if it was read to its end and the server means to stay."""
        stays = self._keeps and self._exchange is not None and self._exchange.may_stay
        self._let_go()
        if stays and self.is_open:
            self._pool.keep(self)
            self._end_by(KEPT_SECONDS)
        else:
            self.close()

    def _let_go(self) -> None:
        if self._exchange is not None:
            self._exchange.end()
            self._exchange = None

    def _end_by(self, seconds: float | None) -> None:
        if self._ends:
            self._ends.cancel()
        self._ends = None if seconds is None else self._loop.call_later(seconds, self.close)


class Pool:
    """The connections of one event loop."""

    def __init__(self) -> None:
        self._closed = False
        self._open: set[Connection] = set()
        self._kept: defaultdict[Place, list[Connection]] = defaultdict(list)

    async def exchange(self, post: Post, taker: Taker) -> None:
        """Send a request and hand its answer over. Raises Unreachable, Lost, and whatever the taker raises.

        One that was kept may have been hung up just now: then nobody has read the request, and it goes over a new one.
        """
        if kept := self._take(post.place):
            clock = asyncio.get_running_loop().time
            asked = clock()
            try:
                await kept.exchange(post, taker)
            except Lost as loss:
                if loss.begun or self._closed or clock() - asked > HUNG_UP_SECONDS:
                    raise
            else:
                return
        fresh = await self._connect(post.place)
        if self._closed:
            fresh.close()
            raise Lost(begun=False)
        await fresh.exchange(post, taker)

    def keep(self, connection: Connection) -> None:
        self._kept[connection.place].append(connection)

    def drop(self, connection: Connection) -> None:
        self._open.discard(connection)
        kept = self._kept.get(connection.place, [])
        if connection in kept:
            kept.remove(connection)
        if not kept:
            self._kept.pop(connection.place, None)

    def close(self) -> None:
        """Close every connection; exchanges that run are lost, and none is tried again."""
        self._closed = True
        for connection in list(self._open):
            connection.close()

    def _take(self, place: Place) -> Connection | None:
        """The one that was used last, of those that are still open."""
        kept = self._kept.get(place, [])
        while kept:
            if (connection := kept.pop()).is_open:
                return connection
        return None

    async def _connect(self, place: Place) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                tls = await asyncio.to_thread(_tls) if place.secure else None
                found = await loop.getaddrinfo(place.host, place.port, type=SOCK_STREAM)
                sock = await aiohappyeyeballs.start_connection(found, happy_eyeballs_delay=ALONE_SECONDS)
                sock.setsockopt(
                    IPPROTO_TCP, TCP_NODELAY, 1
                )  # the end of a long request waits for no answer to its head
                _, connection = await loop.create_connection(
                    lambda: Connection(place, self),
                    sock=sock,
                    ssl=tls,
                    server_hostname=place.host if place.secure else None,
                )
        except (OSError, UnicodeError, TimeoutError):
            raise Unreachable from None
        self._open.add(connection)
        return connection


@cache
def _tls() -> ssl.SSLContext:
    """Read once: a system's certificates are a hundred thousand lines."""
    return ssl.create_default_context()


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()


def pool() -> Pool:
    """The connections of this event loop."""
    return _pools.setdefault(asyncio.get_running_loop(), Pool())


def close_connections() -> None:
    """Close all of this event loop."""
    if here := _pools.pop(asyncio.get_running_loop(), None):
        here.close()
