"""The bus: running texts of this process and whoever reads along. It knows no story.

A channel holds the text of one run. Its writer calls `feed`; every reader walks the text from its own position, so a
slow reader gets fewer, larger pieces and delays nobody. A piece that comes 30 ms or more after the last one is passed
on at once, faster ones are gathered by one timer for all channels: an eye sees no difference, and each write costs a
system call per reader.
docs/subsystems/streaming.md
"""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

GATHER_SECONDS = 0.03
"""Shorter than the gateway rests between its looks at a fast provider, so that nothing is gathered twice."""
KEPT_SECONDS = 60.0
KEPT_ENDED = 2_000
LONGEST_WAIT = 3_600.0
"""For so long at most it is known how long a narrator asked to wait."""
QUIET_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being waited for, in words, and how much of it is done (0 to 1, or None)."""

    say: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the text, and how many characters the text has with it."""

    text: str
    length: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: a state, and for a person the sentence that explains it and whether to offer another try."""

    state: str
    say: str | None = None
    retry: bool = False
    retry_after: int | None = None

    def after(self, seconds: float) -> Ending:
        """The same for whoever hears of it so much later: of a wait, what is left."""
        wait = self.retry_after
        return self if wait is None else replace(self, retry_after=max(0, math.ceil(wait - seconds)))


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing has come for a while, and nothing is wrong: a sign of life is due."""


type Event = Progress | Delta | Ending | Quiet


class _Ear:
    """One reader's wait for news. One timer serves all its silences: a timeout of each wait would set one a piece."""

    __slots__ = ("_loop", "_news", "_quiet", "_since", "_timer")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._quiet = False
        self._since = self._loop.time()
        self._timer = self._loop.call_later(QUIET_SECONDS, self._look)

    def wake(self) -> None:
        self._since = self._loop.time()
        self._news.set()

    def is_awake(self) -> bool:
        return self._news.is_set()

    def rest(self) -> None:
        """Whatever has come so far is about to be read."""
        self._news.clear()

    async def hear(self) -> bool:
        """Wait for news; False when none came for QUIET_SECONDS."""
        await self._news.wait()
        quiet, self._quiet = self._quiet, False
        return not quiet

    def close(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        left = self._since + QUIET_SECONDS - self._loop.time()
        if left <= 0:
            self._quiet, left = True, QUIET_SECONDS
            self.wake()
        self._timer = self._loop.call_later(left, self._look)


@dataclass(slots=True, eq=False)
class Channel:
    """The text of one run, while it grows and for a minute after."""

    run: uuid.UUID
    begins_with: str = ""
    parts: list[str] = field(default_factory=list)
    length: int = 0
    progress: Progress | None = None
    ending: Ending | None = None
    ended_at: float = 0.0
    readers: set[_Ear] = field(default_factory=set)
    woken_at: float = -GATHER_SECONDS

    def __post_init__(self) -> None:
        if self.begins_with:
            self.parts.append(self.begins_with)
            self.length = len(self.begins_with)

    @property
    def text(self) -> str:
        """All of it, joined anew: the parts stay, because readers count them."""
        return "".join(self.parts)

    def wake(self, now: float | None = None) -> None:
        """Let every reader look. `now`: the loop's time, when it was for a piece of the text."""
        if now is not None:
            self.woken_at = now
        for reader in self.readers:
            reader.wake()


class Bus:
    """The channels of one event loop. Every method is called on that loop."""

    def __init__(self) -> None:
        self.channels: dict[uuid.UUID, Channel] = {}
        self._waits: dict[uuid.UUID, float] = {}
        self._waiting: set[Channel] = set()
        self._timer: asyncio.TimerHandle | None = None

    def open(self, run: uuid.UUID, *, begins_with: str = "") -> Channel:
        """A new channel; `begins_with` is text that the run goes on from."""
        channel = self.channels[run] = Channel(run, begins_with)
        return channel

    def feed(self, channel: Channel, text: str) -> None:
        """Append a piece. After a pause it goes out at once, else with the next turn of the timer."""
        loop = asyncio.get_running_loop()
        channel.parts.append(text)
        channel.length += len(text)
        channel.progress = None
        if loop.time() - channel.woken_at >= GATHER_SECONDS:
            channel.wake(loop.time())
        elif not all(reader.is_awake() for reader in channel.readers):  # who is awake sees it anyway
            self._waiting.add(channel)
            if self._timer is None:
                self._timer = loop.call_later(GATHER_SECONDS, self._flush)

    def report(self, channel: Channel, progress: Progress) -> None:
        """Tell the readers what is being waited for."""
        channel.progress = progress
        channel.wake()

    def end(self, channel: Channel, ending: Ending) -> None:
        """The run is over and stored; readers finish, and the channel is kept a minute for those who come late."""
        channel.ending, channel.ended_at = ending, asyncio.get_running_loop().time()
        self._waiting.discard(channel)
        channel.wake()
        ended = [run for run, other in self.channels.items() if other.ending is not None]
        for run in ended[: max(0, len(ended) - KEPT_ENDED)]:
            self.channels.pop(run, None)
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self.channels.pop, channel.run, None)
        if ending.retry_after:
            self._remember_wait(channel.run, ending.retry_after)

    def _remember_wait(self, run: uuid.UUID, seconds: float) -> None:
        """A wait outlasts its channel, which holds words: a page that is loaded anew must not begin to ask again."""
        loop = asyncio.get_running_loop()
        self._waits[run] = loop.time() + seconds
        if len(self._waits) > KEPT_ENDED:
            self._waits.pop(next(iter(self._waits)))
        loop.call_later(min(seconds, LONGEST_WAIT), self._waits.pop, run, None)

    def left_to_wait(self, run: uuid.UUID) -> int | None:
        """Whole seconds that are left of the wait after a run; None where there is none, or nobody knows any more."""
        over = self._waits.get(run)
        return None if over is None else max(0, math.ceil(over - asyncio.get_running_loop().time()))

    async def read(self, channel: Channel, *, after: int = 0) -> AsyncIterator[Event]:
        """Everything from character `after` on, as it comes, up to and with the ending."""
        ear = _Ear()
        channel.readers.add(ear)
        told: Progress | None = None
        seen = 0
        try:
            while True:
                ear.rest()
                if seen < len(channel.parts):
                    piece = "".join(channel.parts[seen:])
                    start = channel.length - len(piece)
                    seen = len(channel.parts)
                    if channel.length > after:
                        yield Delta(piece[max(0, after - start) :], channel.length)
                elif channel.progress is not None and channel.progress is not told:
                    told = channel.progress
                    yield told
                elif channel.ending is not None:
                    yield channel.ending.after(asyncio.get_running_loop().time() - channel.ended_at)
                    return
                elif not await ear.hear():
                    yield Quiet()
        finally:
            ear.close()
            channel.readers.discard(ear)

    def _flush(self) -> None:
        self._timer = None
        waiting, self._waiting = self._waiting, set()
        now = asyncio.get_running_loop().time()
        for channel in waiting:
            channel.wake(now)
