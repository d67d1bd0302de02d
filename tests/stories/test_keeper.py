"""The one that stores the words of running replies: soon enough, for everybody, whatever fails beside them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mindstage.stories import generation, hot_path
from mindstage.stories.generation import Narration, Run
from mindstage.streaming.bus import Bus

COMMIT_SECONDS = 0.1
PROMISED = 0.6
EVERY = 0.02


class Loop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next thing to do, so that no busy machine changes what is measured."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


class Database:
    """As the thread that owns a connection; each job takes a while."""

    def __init__(self, takes: float) -> None:
        self.takes = takes

    async def run[T](self, work: Callable[[], T], *, acknowledges: bool = True) -> T:
        await asyncio.sleep(self.takes)
        return work()


class Kept:
    """What was stored of each reply, and when each piece of it was shown."""

    def __init__(self, narration: Narration) -> None:
        self.narration = narration
        self.shown: dict[uuid.UUID, list[float]] = {}
        self.stored: dict[uuid.UUID, int] = {}
        self.longest = 0.0
        self.rounds = 0

    def begin(self) -> Run:
        ident = uuid.uuid4()
        taken: Any = SimpleNamespace(reply=SimpleNamespace(id=ident), scene=SimpleNamespace(owner=uuid.uuid4()))
        run = Run(taken, self.narration.bus.open(ident))
        self.narration.runs[ident] = run
        self.shown[ident], self.stored[ident] = [], 0
        return run

    def say(self, run: Run) -> None:
        self.narration._feed(run, 10**6, "x")
        self.shown[run.id].append(asyncio.get_running_loop().time())

    def keep(self, parts: list[tuple[uuid.UUID, str]]) -> None:
        self.rounds += 1
        now = asyncio.get_running_loop().time()
        for run, text in parts:
            fresh = self.shown[run][self.stored[run] : len(text)]
            self.longest = max([self.longest, *(now - at for at in fresh)])
            self.stored[run] = len(text)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept(Narration(bus=Bus(), database=Database(COMMIT_SECONDS)))  # type: ignore[arg-type]
    monkeypatch.setattr(generation, "store_counts", lambda: None)
    monkeypatch.setattr(generation, "active_accounts", lambda owners: owners)
    monkeypatch.setattr(hot_path, "seal_text", lambda _scene, _run, text: text)
    monkeypatch.setattr(hot_path, "keep_parts", kept.keep)
    return kept


def live(kept: Kept, seconds: float, *, silence: float = 0.0) -> None:
    """Somebody reads a reply that grows without a pause, and then for a while by nothing."""

    async def play() -> None:
        keeper = asyncio.create_task(kept.narration._keep_progress())
        run = kept.begin()
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            kept.say(run)
            await asyncio.sleep(EVERY)
        await asyncio.sleep(silence)
        assert not keeper.done()
        keeper.cancel()

    asyncio.run(play(), loop_factory=Loop)


def test_no_word_is_unstored_for_longer_than_is_promised(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is shown while the words before it are stored, and counts after them: it waits from then on."""
    monkeypatch.setattr(generation, "COUNT_SECONDS", 1.0)
    live(kept, 3.0)
    assert kept.rounds >= 4
    assert 0.3 < kept.longest < PROMISED


def test_an_ending_that_cannot_be_stored_keeps_nobody_elses_words_back(kept: Kept) -> None:
    """A long reply finds no room on the disk; the short parts of another still do. It is tried again, at leisure."""
    tries = []

    def fail() -> bool:
        tries.append(1)
        raise OSError

    kept.narration._unstored[uuid.uuid4()] = fail
    live(kept, 2.0)
    assert kept.longest < PROMISED
    assert max(kept.stored.values()) > 50
    assert 2 <= len(tries) <= 5


def test_a_failing_database_is_asked_no_more_than_twice_a_second(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keeper lives on and does not spin, and stores all when the trouble is over."""
    tries, keep = [], kept.keep

    def fail(parts: Any) -> None:
        tries.append(1)
        if len(tries) < 4:
            raise OSError
        keep(parts)

    kept.narration.database.takes = 0.0  # type: ignore[attr-defined]
    monkeypatch.setattr(hot_path, "keep_parts", fail)
    live(kept, 2.2)
    assert 4 <= len(tries) <= 5
    assert max(kept.stored.values()) > 50


def test_words_that_could_not_be_stored_are_tried_again_at_once(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though no more come, and long before the next counts are due."""
    tries, keep = [], kept.keep

    def fail_once(parts: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError
        keep(parts)

    monkeypatch.setattr(hot_path, "keep_parts", fail_once)
    live(kept, 0.3, silence=1.5)
    assert max(kept.stored.values()) >= 15
    assert kept.longest < 2 * PROMISED
