"""Readers of a run see its whole text in order, whenever they come and however slow they are."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.streaming import bus as bus_module
from mindstage.streaming.bus import GATHER_SECONDS, Bus, Channel, Delta, Ending, Progress

DONE = Ending("finished")


async def collect(bus: Bus, channel: Channel, *, after: int = 0) -> tuple[str, list[object]]:
    events = [event async for event in bus.read(channel, after=after)]
    return "".join(event.text for event in events if isinstance(event, Delta)), events


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=20), st.integers(0, 30))
def test_a_reader_who_resumes_gets_exactly_the_rest(pieces: list[str], after: int) -> None:
    """From any character on: no gap, no repetition, and numbers that count characters."""

    async def play() -> None:
        bus = Bus()
        channel = bus.open(uuid.uuid4())
        early = asyncio.create_task(collect(bus, channel))
        await asyncio.sleep(0)
        for piece in pieces:
            bus.feed(channel, piece)
        late = asyncio.create_task(collect(bus, channel, after=after))
        await asyncio.sleep(0)
        bus.end(channel, DONE)
        whole = "".join(pieces)
        assert (await early)[0] == whole
        text, events = await late
        assert text == whole[after:]
        lengths = [event.length for event in events if isinstance(event, Delta)]
        assert lengths == sorted(lengths)

    asyncio.run(play())


async def test_the_first_piece_goes_out_at_once_and_later_ones_are_gathered() -> None:
    """A reader wakes for the first piece without the timer, and once for all that came within it."""
    bus = Bus()
    channel = bus.open(uuid.uuid4())
    reader = bus.read(channel)
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    bus.feed(channel, "The ")
    assert await waiting == Delta("The ", 4)
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    for word in ("door ", "is ", "open."):
        bus.feed(channel, word)
    assert await waiting == Delta("door is open.", 17)
    await reader.aclose()
    assert not channel.readers


async def test_a_slow_narrators_words_go_out_at_once_each() -> None:
    """Who writes slower than pieces are gathered is never held back: no timer runs for such a word."""
    bus = Bus()
    channel = bus.open(uuid.uuid4())
    reader = bus.read(channel)
    for length, word in ((4, "The "), (9, "door ")):
        channel.woken_at -= 2 * GATHER_SECONDS
        waiting = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        bus.feed(channel, word)
        assert bus._timer is None
        assert await waiting == Delta(word, length)
    await reader.aclose()


async def test_progress_is_told_until_the_text_begins() -> None:
    bus = Bus()
    channel = bus.open(uuid.uuid4())
    bus.report(channel, Progress("Waking the narrator", 0.5))
    reading = asyncio.create_task(collect(bus, channel))
    await asyncio.sleep(0)
    bus.feed(channel, "So.")
    bus.end(channel, DONE)
    _, events = await reading
    assert events == [Progress("Waking the narrator", 0.5), Delta("So.", 3), DONE]


async def test_a_continued_text_begins_where_it_was() -> None:
    """A run that goes on from earlier text counts its characters from there."""
    bus = Bus()
    channel = bus.open(uuid.uuid4(), begins_with="Once ")
    bus.feed(channel, "more")
    bus.end(channel, DONE)
    assert (await collect(bus, channel, after=5))[0] == "more"
    assert channel.text == "Once more"


async def test_a_reader_who_leaves_ends_nothing() -> None:
    """The run goes on without its readers, and is there when one returns."""
    bus = Bus()
    channel = bus.open(uuid.uuid4())
    reading = asyncio.create_task(collect(bus, channel))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    bus.feed(channel, "Still here.")
    bus.end(channel, DONE)
    assert (await collect(bus, bus.channels[channel.run]))[0] == "Still here."


async def test_whoever_comes_late_waits_only_for_the_rest() -> None:
    """A wait that a provider named runs on: a page made ten seconds later is told what is left, never less than 0."""
    ending = Ending("failed", "Busy.", retry=True, retry_after=30)
    assert [ending.after(seconds).retry_after for seconds in (0, 9.5, 10, 29.99, 30, 400)] == [30, 21, 20, 1, 0, 0]
    assert DONE.after(10) == DONE
    bus = Bus()
    channel = bus.open(uuid.uuid4())
    bus.end(channel, ending)
    channel.ended_at -= 10
    assert [event async for event in bus.read(channel)] == [ending.after(10)]


async def test_a_wait_outlasts_the_words_it_came_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five minutes are remembered when the channel is gone, a day for an hour; a run that ended well has none."""
    bus, runs = Bus(), [uuid.uuid4() for _ in range(3)]
    for run, ending in zip(
        runs, (Ending("failed", retry_after=300), DONE, Ending("failed", retry_after=0)), strict=True
    ):
        bus.end(bus.open(run), ending)
    bus.channels.clear()
    assert [bus.left_to_wait(run) for run in runs] == [300, None, None]
    monkeypatch.setattr(bus_module, "LONGEST_WAIT", 0.0)
    bus.end(bus.open(runs[1]), Ending("failed", retry_after=86_400))
    assert bus.left_to_wait(runs[1]) == 86_400
    for _ in range(3):
        await asyncio.sleep(0)
    assert bus.left_to_wait(runs[1]) is None
    assert bus.left_to_wait(runs[0]) == 300


async def test_waits_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a provider that is busy for everybody, the newest are known."""
    monkeypatch.setattr(bus_module, "KEPT_ENDED", 2)
    bus, runs = Bus(), [uuid.uuid4() for _ in range(3)]
    for run in runs:
        bus.end(bus.open(run), Ending("failed", retry_after=300))
    assert [bus.left_to_wait(run) for run in runs] == [None, 300, 300]
