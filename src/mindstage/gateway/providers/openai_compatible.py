"""Any server that speaks OpenAI's chat completions, streamed.

The body is built from a list of allowed fields and nothing else: no account, no `user`, no header of the person's
browser. Bytes are handled as they come, without a task or a timer per token: the watch for a silence moves its one
deadline now and then, where the client's own socket timeout would set a timer for each packet.

aiohttp is loaded by the first request (sessions.py says why).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from math import ceil
from typing import TYPE_CHECKING, Final

from mindstage.gateway.problems import ProblemKind, ProviderProblem
from mindstage.gateway.providers.completions import BrokenEvent, Finish, parse_event
from mindstage.gateway.providers.event_stream import EventStream, LineTooLong
from mindstage.gateway.providers.sessions import CONNECT_SECONDS, shared_session
from mindstage.kit import clock

if TYPE_CHECKING:
    import aiohttp

LONGEST_REPLY: Final = 200_000
LONGEST_ANSWER: Final = 100_000_000
"""Bytes: room for the longest reply with each of its characters in an event of its own."""
REPLY_SECONDS: Final = 1_800.0
LONGEST_WAIT: Final = 86_400
LONGEST_TAIL: Final = 65_536
REST_SECONDS: Final = 0.1
AT_ONCE_SECONDS: Final = 0.01
"""What is read so soon after a rest came during it."""
TAIL_SECONDS: Final = 2.0
MANY: Final = 65_536
"""Bytes that end a rest before its time: what no provider says within REST_SECONDS."""

GENERAL_FIELDS: Final = frozenset({"temperature", "top_p"})
EMBEDDED_FIELDS: Final = GENERAL_FIELDS | {
    "min_p",
    "top_k",
    "repeat_penalty",
    "repeat_last_n",
    "dry_multiplier",
    "dry_base",
    "dry_allowed_length",
    "dry_penalty_last_n",
    "cache_prompt",
    "n_cache_reuse",
    "return_progress",
    "seed",
}

type Setting = float | int | bool


@dataclass(frozen=True, slots=True)
class Request:
    """All that is sent to one provider for one reply."""

    base_url: str
    model: str
    messages: tuple[tuple[str, str], ...]
    max_tokens: int
    api_key: str = field(default="", repr=False)
    stop: tuple[str, ...] = ()
    settings: dict[str, Setting] = field(default_factory=dict)
    knows: frozenset[str] = GENERAL_FIELDS
    keeps_connection: bool = True

    def body(self) -> dict[str, object]:
        """The JSON that leaves, field by field."""
        body: dict[str, object] = {
            "model": self.model,
            "messages": [{"role": role, "content": content} for role, content in self.messages],
            "stream": True,
            "max_tokens": self.max_tokens,
        }
        if self.stop:
            body["stop"] = list(self.stop)
        return body | {name: value for name, value in self.settings.items() if name in self.knows}

    def headers(self) -> dict[str, str]:
        """The headers that leave, besides Host and what describes the body."""
        headers = {"Accept": "text/event-stream"}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        if not self.keeps_connection:
            headers["Connection"] = "close"
        return headers


async def stream(
    request: Request,
    *,
    stall_seconds: float,
    on_delta: Callable[[str], None],
    on_read: Callable[[float], None] | None = None,
) -> Finish:
    """Ask, and call on_delta with each piece of text. Raises ProviderProblem; cancelling closes the connection."""
    import aiohttp

    try:
        response = await _ask(request, stall_seconds=stall_seconds)
        try:
            check_status(response)
            finish = await _receive(response, stall_seconds, on_delta=on_delta, on_read=on_read)
        except BaseException:
            response.close()
            raise
    except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError, aiohttp.InvalidURL, UnicodeError):
        # UnicodeError: the name is none that any machine could have, so nobody was asked for it.
        raise ProviderProblem("unreachable") from None
    except ValueError:  # a key with a sign that no header may hold; nothing was sent
        raise ProviderProblem("refused") from None
    except TimeoutError:
        raise ProviderProblem("silent") from None
    except (BrokenEvent, LineTooLong):
        raise ProviderProblem("broken") from None
    except (aiohttp.ClientError, ConnectionError):
        raise ProviderProblem("closed") from None
    _let_end(response)
    return finish


async def _ask(request: Request, *, stall_seconds: float) -> aiohttp.ClientResponse:
    """Send the request; once more when the server had meanwhile hung up a connection that we had kept."""
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    url, body, headers = f"{request.base_url}/chat/completions", request.body(), request.headers()
    for attempt in (1, 2):
        try:
            async with asyncio.timeout(stall_seconds):
                return await shared_session().post(
                    url, json=body, headers=headers, timeout=timeout, allow_redirects=False
                )
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if attempt == 2 or isinstance(error, aiohttp.ClientConnectorError):
                raise
    raise AssertionError


def check_status(response: aiohttp.ClientResponse) -> None:
    """Raise the ProviderProblem that an answer's status stands for; its body is never read."""
    if response.status == 200:
        return
    raise ProviderProblem(_name_status(response.status), retry_after=_read_retry_after(response))


def _name_status(status: int) -> ProblemKind:
    if status in (401, 403):
        return "refused"
    if status == 429:
        return "busy"
    if status >= 500:
        return "unwell"
    return "rejected"


def _read_retry_after(response: aiohttp.ClientResponse) -> int | None:
    """Whole seconds from now, whether the header gives seconds or a date (RFC 9110, section 10.2.3)."""
    said = response.headers.get("Retry-After", "").strip()
    if response.status not in (429, 503) or not said:
        return None
    if said.isascii() and said.isdigit() and len(said) < 10:
        return min(int(said), LONGEST_WAIT)
    try:
        wait = (parsedate_to_datetime(said) - clock.now()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0, min(ceil(wait), LONGEST_WAIT))


async def _receive(
    response: aiohttp.ClientResponse,
    stall_seconds: float,
    *,
    on_delta: Callable[[str], None],
    on_read: Callable[[float], None] | None,
) -> Finish:
    """Read events until the reply says that it has ended. Raises TimeoutError after a silence."""
    events = EventStream()
    length = heard = 0
    pace = _Pace(response)
    try:
        async with asyncio.timeout(None) as deadline:
            watch = _SilenceWatch(deadline, stall_seconds)
            async for chunk in response.content.iter_any():
                watch.hear()
                heard += len(chunk)
                if heard > LONGEST_ANSWER:
                    raise BrokenEvent
                room = LONGEST_REPLY - length
                told, finish = _read_events(events.feed(chunk), room=room, on_delta=on_delta, on_read=on_read)
                length += told
                if finish:
                    return finish
                if length:
                    pace.rest()
    finally:
        pace.end()
    raise ProviderProblem("closed")


def _read_events(
    events: Iterable[bytes],
    *,
    room: int,
    on_delta: Callable[[str], None],
    on_read: Callable[[float], None] | None,
) -> tuple[int, Finish | None]:
    """Pass on what came together as one piece, up to `room` characters; how many, and how the reply ended, if it did.

    Raises BrokenEvent, after what came before it was passed on.
    """
    pieces: list[str] = []
    finish: Finish | None = None
    try:
        for data in events:
            event = parse_event(data)
            if event.text:
                pieces.append(event.text)
            if event.read is not None and on_read:
                on_read(event.read)
            if finish := event.finish:
                break
    finally:
        text = "".join(pieces)
        if text:
            on_delta(text[:room])
    return len(text), "length" if len(text) >= room else finish


class _Pace:
    """Looks at a provider that speaks fast once in REST_SECONDS instead of at every word.

    A process that wakes for each word begins each time with cold caches, and ten looks a second are enough for reading.
    A timer ends the rest, not a task that sleeps: who waits for the next words is woken once, by them.

    Meanwhile the system is told to wake us for MANY bytes or an end, and for no less (socket(7), SO_RCVLOWAT). A
    transport whose reading is paused would still be woken once by the next word: uvloop lets go of a socket only then.
    """

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._loop = asyncio.get_running_loop()
        self._response = response
        self._transport: asyncio.Transport | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._rested_at = 0.0
        self._heard_at: float | None = None

    def rest(self) -> None:
        """Words came. Let the next ones gather, after the first and then for as long as they come fast."""
        now, before = self._loop.time(), self._heard_at
        self._heard_at = now
        if before is None or now - before < REST_SECONDS or now - self._rested_at < AT_ONCE_SECONDS:
            self._pause()

    def end(self) -> None:
        """Nobody waits for words any more: the connection is read as any other."""
        if self._resting:
            self._resting.cancel()
            self._look()

    def _pause(self) -> None:
        connection = self._response.connection  # None once the answer is whole: then it may serve the next already
        if self._resting or connection is None or connection.transport is None:
            return
        self._transport = connection.transport
        self._wake_for(MANY)
        self._resting = self._loop.call_later(REST_SECONDS, self._look)

    def _look(self) -> None:
        self._resting, self._rested_at = None, self._loop.time()
        self._wake_for(1)

    def _wake_for(self, size: int) -> None:
        if self._transport and not self._transport.is_closing():
            with suppress(OSError):  # a system that cannot: then each word is read as it comes
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)


class _SilenceWatch:
    """Keeps a deadline between once and 9/8 of `stall_seconds` after the last bytes, and within REPLY_SECONDS."""

    def __init__(self, deadline: asyncio.Timeout, stall_seconds: float) -> None:
        self._now = asyncio.get_running_loop().time
        self._deadline = deadline
        self._stall = stall_seconds
        self._last = self._now() + REPLY_SECONDS
        self._move_at = 0.0
        self.hear()

    def hear(self) -> None:
        """Bytes came. The deadline moves only when an eighth of the stall has passed since it last did."""
        if (now := self._now()) >= self._move_at:
            self._move_at = now + self._stall / 8
            self._deadline.reschedule(min(self._move_at + self._stall, self._last))


_ending: set[asyncio.Task[None]] = set()


def _let_end(response: aiohttp.ClientResponse) -> None:
    """Read the last bytes of a finished reply aside, so that its connection can serve the next turn."""
    if response.content.at_eof():
        return
    task = asyncio.get_running_loop().create_task(_read_to_end(response))
    _ending.add(task)
    task.add_done_callback(_ending.discard)


async def _read_to_end(response: aiohttp.ClientResponse) -> None:
    import aiohttp

    left = LONGEST_TAIL
    try:
        async with asyncio.timeout(TAIL_SECONDS):
            async for chunk in response.content.iter_any():
                left -= len(chunk)
                if left < 0:
                    break
    except (TimeoutError, aiohttp.ClientError, ConnectionError):
        pass
    finally:
        response.close()
