"""Readers at any pace, who come and go as they like, and a bus that keeps no more than it must."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.streaming import bus as bus_module
from mindstage.streaming import sse
from mindstage.streaming.bus import Bus, Delta, Ending

DONE = Ending("finished")
pieces = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@given(st.lists(st.one_of(pieces, st.just(None)), max_size=30), st.integers(0, 3))
def test_a_reader_who_leaves_and_returns_at_any_point(steps: list[str | None], leave_every: int) -> None:
    """Pieces come and are read in any order of the two; each return goes on from the last number that was seen."""

    async def play() -> None:
        bus = Bus()
        channel = bus.open(uuid.uuid4())
        seen, number, reads = "", 0, 0
        reader = bus.read(channel)
        for step in steps:
            if step is not None:
                bus.feed(channel, step)
            elif number < channel.length:
                event = await anext(reader)
                assert isinstance(event, Delta)
                seen, number, reads = seen + event.text, event.length, reads + 1
                if leave_every and reads % leave_every == 0:
                    await reader.aclose()
                    reader = bus.read(channel, after=number)
        bus.end(channel, DONE)
        async for event in reader:
            seen += event.text if isinstance(event, Delta) else ""
        assert seen == channel.text == "".join(step for step in steps if step is not None)
        assert not channel.readers

    asyncio.run(play())


async def test_a_slow_reader_delays_nobody() -> None:
    """While one reader stands still, another gets every piece; the slow one then gets the rest in one."""
    bus = Bus()
    channel = bus.open(uuid.uuid4())
    slow, quick = bus.read(channel), bus.read(channel)
    bus.feed(channel, "0 ")
    assert await anext(slow) == await anext(quick) == Delta("0 ", 2)
    for number in range(1, 5):
        bus.feed(channel, f"{number} ")
        assert await anext(quick) == Delta(f"{number} ", 2 * number + 2)
    assert await anext(slow) == Delta("1 2 3 4 ", 10)
    await slow.aclose()
    await quick.aclose()


async def test_ended_runs_are_kept_for_a_while_and_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many ended runs the last ones stay for those who come late, and after their time none does."""
    monkeypatch.setattr(bus_module, "KEPT_ENDED", 10)
    monkeypatch.setattr(bus_module, "KEPT_SECONDS", 0.05)
    bus = Bus()
    running = bus.open(uuid.uuid4())
    ended = [bus.open(uuid.uuid4()) for _ in range(50)]
    for channel in ended:
        bus.end(channel, DONE)
    assert set(bus.channels) == {running.run, *(channel.run for channel in ended[-10:])}
    async with asyncio.timeout(5):
        while len(bus.channels) > 1:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    assert set(bus.channels) == {running.run}


@given(pieces, st.one_of(st.none(), st.integers(0, 10**8)))
def test_a_frame_is_read_back(text: str, ident: int | None) -> None:
    """Whatever a piece holds, line breaks of every kind too, it is one event of one line."""
    frame = sse.frame("delta", {"text": text}, ident=ident).decode()
    assert frame.endswith("\n\n")
    lines = frame[:-2].split("\n")
    assert len(lines) == (2 if ident is None else 3)
    assert "\r" not in frame


@pytest.mark.parametrize("said", [None, "", "-1", "1.5", "12a", "٣", "9" * 40, " 3", "0x1"])
def test_a_senseless_resume_point_is_the_beginning(said: str | None) -> None:
    assert sse.resume_point(said) == 0
