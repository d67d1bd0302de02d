"""Any server that speaks OpenAI's chat completions, streamed.

The body is built from a list of allowed fields and nothing else: no account, no `user`, no header of the person's
browser. Bytes are handled as they come, without a task or a timer per token: the watch for a silence moves its one
deadline now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Final

from mindstage.gateway.problems import ProblemKind, ProviderProblem
from mindstage.gateway.providers.completions import BrokenEvent, Finish, parse_event
from mindstage.gateway.providers.connections import Connection, Lost, Unreachable, pool
from mindstage.gateway.providers.event_stream import EventStream, LineTooLong
from mindstage.gateway.providers.requests import CLOSES, NoSuchPlace, Post, UnfitHeader
from mindstage.gateway.providers.thoughts import Thoughts
from mindstage.kit import clock

LONGEST_REPLY: Final = 200_000
LONGEST_ANSWER: Final = 100_000_000
"""Bytes: room for the longest reply with each of its characters in an event of its own."""
REPLY_SECONDS: Final = 1_800.0
LONGEST_WAIT: Final = 86_400
REST_SECONDS: Final = 0.1
FAST_SECONDS: Final = 0.05
"""Between two words. Rests would gather none of what comes slower: they would only cost a timer for each word."""
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
            headers |= CLOSES
        return headers


@dataclass(frozen=True, slots=True)
class Hearing:
    """Who hears an answer: each piece of text; how much of the prompt was read, 0 to 1; that the model thinks."""

    on_delta: Callable[[str], None]
    on_read: Callable[[float], None] = lambda _: None
    on_thought: Callable[[], None] = lambda: None


async def stream(request: Request, hearing: Hearing, *, stall_seconds: float) -> Finish:
    """Ask, and hand over what comes. Raises ProviderProblem; cancelling closes the connection."""
    try:
        post = Post.json(f"{request.base_url}/chat/completions", request.headers(), request.body())
        async with asyncio.timeout(None) as deadline:
            answer = _Answer(_SilenceWatch(deadline, stall_seconds), hearing)
            try:
                await pool().exchange(post, answer)
            finally:
                answer.end()
    except (NoSuchPlace, Unreachable):
        raise ProviderProblem("unreachable") from None
    except UnfitHeader:
        raise ProviderProblem("refused") from None
    except TimeoutError:
        raise ProviderProblem("silent") from None
    except (BrokenEvent, LineTooLong):
        raise ProviderProblem("broken") from None
    except Lost:
        raise ProviderProblem("closed") from None
    if answer.finish is None:
        raise ProviderProblem("closed")
    if answer.only_thought:
        raise ProviderProblem("lost_in_thought")
    return answer.finish


def check_status(status: int, headers: Mapping[str, str]) -> None:
    """Raise the ProviderProblem that an answer's status stands for; its body is never read."""
    if status != 200:
        raise ProviderProblem(_name_status(status), retry_after=_read_retry_after(status, headers))


def _name_status(status: int) -> ProblemKind:
    if status in (401, 403):
        return "refused"
    if status == 429:
        return "busy"
    if status >= 500:
        return "unwell"
    return "rejected"


def _read_retry_after(status: int, headers: Mapping[str, str]) -> int | None:
    """Whole seconds from now, whether the header gives seconds or a date (RFC 9110, section 10.2.3)."""
    said = headers.get("retry-after", "").strip()
    if status not in (429, 503) or not said:
        return None
    if said.isascii() and said.isdigit() and len(said) < 10:
        return min(int(said), LONGEST_WAIT)
    try:
        wait = (parsedate_to_datetime(said) - clock.now()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0, min(ceil(wait), LONGEST_WAIT))


class _Answer:
    """Takes what a provider answers, as it comes. `finish`: how the reply ended; None until it says so."""

    def __init__(self, watch: _SilenceWatch, hearing: Hearing) -> None:
        self.finish: Finish | None = None
        self._watch = watch
        self._hearing = hearing
        self._events = EventStream()
        self._thoughts = Thoughts()
        self._thinks = False
        self._pace: _Pace | None = None
        self._length = self._heard = 0

    @property
    def only_thought(self) -> bool:
        """The model has thought, and said nothing."""
        return self._thinks and not self._length

    def begin(self, connection: Connection, status: int, headers: Mapping[str, str]) -> None:
        """Raises ProviderProblem, and BrokenEvent for an encoding that nobody asked for."""
        self._watch.hear()
        check_status(status, headers)
        if headers.get("content-encoding", "identity") != "identity":
            raise BrokenEvent
        self._pace = _Pace(connection)

    def take(self, body: bytes) -> bool:
        """Pass on what came together as one piece. Raises BrokenEvent and LineTooLong."""
        self._watch.hear()
        self._heard += len(body)
        if self._heard > LONGEST_ANSWER:
            raise BrokenEvent
        words = self._read(self._events.feed(body))
        if words and not self.finish and self._pace:
            self._pace.rest(words)
        return self.finish is not None

    def end(self) -> None:
        """Nothing more is taken: the connection is read as any other."""
        if self._pace:
            self._pace.end()

    def _read(self, events: Iterable[bytes]) -> int:
        """In how many events there were words, said or thought."""
        pieces: list[str] = []
        thoughts = 0
        try:
            for data in events:
                event = parse_event(data)
                if event.text:
                    pieces.append(event.text)
                thoughts += event.thinks
                if event.read is not None:
                    self._hearing.on_read(event.read)
                if event.finish:
                    self.finish = event.finish
                    break
        finally:
            self._pass_on("".join(pieces), thinks=thoughts > 0)  # also what came before a broken one
        return len(pieces) + thoughts

    def _pass_on(self, text: str, *, thinks: bool) -> None:
        text = self._thoughts.part(text)
        if self.finish:
            text += self._thoughts.rest()
        if (thinks or self._thoughts.begun) and not self._thinks:
            self._thinks = True
            self._hearing.on_thought()
        if text := text[: LONGEST_REPLY - self._length]:
            self._length += len(text)
            self._hearing.on_delta(text)
        if self._length == LONGEST_REPLY:
            self.finish = "length"


class _Pace:
    """Looks at a provider that speaks fast once in REST_SECONDS instead of at every word.

    A process that wakes for each word begins each time with cold caches, and ten looks a second are enough for reading.
    """

    def __init__(self, connection: Connection) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._resting: asyncio.TimerHandle | None = None
        self._heard_at: float | None = None

    def rest(self, words: int) -> None:
        """So many words came together. Let the next ones gather, after the first and for as long as they come fast."""
        now, before = self._loop.time(), self._heard_at
        self._heard_at = now
        if (before is None or words > 1 or now - before < FAST_SECONDS) and not self._resting:
            self._connection.wake_for(MANY)
            self._resting = self._loop.call_later(REST_SECONDS, self._look)

    def end(self) -> None:
        """Nobody waits for words any more."""
        if self._resting:
            self._resting.cancel()
            self._look()

    def _look(self) -> None:
        self._resting = None
        self._connection.wake_for(1)


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
