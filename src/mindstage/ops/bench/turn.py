"""`mindstage bench turn`: what the program adds to a provider's own time, and how many streams it holds.

Program and provider are measured in turns within one run, so that a busy machine troubles both alike; figures are
differences. docs/performance.md has the figures of the day and what they mean.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mindstage.ops.bench.client import Asked, Timed, stream
from mindstage.ops.bench.fake_provider import FakeProvider
from mindstage.ops.bench.house import PACED, QUICK, House, Pace, Program, Provider, fake_provider, program
from mindstage.ops.bench.house import temporary_house as house
from mindstage.ops.bench.machine import Watch

SETTLING = 15.0
"""Seconds after the first turns: by then the program has gathered its memory (decision 13), once and for all turns."""
STAGGER = 0.003
"""Seconds between two people's beginnings, as in life nobody presses at the very same moment."""


@dataclass(frozen=True, slots=True)
class Options:
    turns: int = 40
    streams: int = 1024
    long: int = 5000


@dataclass(frozen=True, slots=True)
class Bench:
    """What stands ready to be measured."""

    program: Program
    quick: Provider
    paced: Provider
    recorded: FakeProvider
    made: dict[str, Any]

    def turn(self, story: str) -> Asked:
        body = {"mode": "do", "text": "I open the door and look.", "client_turn_id": str(uuid.uuid4())}
        return Asked(
            f"{self.program.address}/stream/stories/{story}/turns", body, {"Cookie": f"session={self.made['cookie']}"}
        )

    def direct(self, provider: Provider) -> Asked:
        messages = [{"role": "user", "content": "I open the door and look."}]
        return Asked(f"{provider.base_url}/chat/completions", {"model": "fake", "stream": True, "messages": messages})


def measure(options: Options) -> dict[str, Any]:
    """Set everything up, measure, tear everything down. Raises BenchFailed."""
    with house() as place, fake_provider(QUICK) as quick, fake_provider(PACED) as paced:
        return asyncio.run(_measure(place, quick, paced, options))


async def _measure(place: House, quick: Provider, paced: Provider, options: Options) -> dict[str, Any]:
    async with FakeProvider(tokens=QUICK.words) as recorded:
        urls = [("quick", quick.base_url), ("paced", paced.base_url), ("recorded", recorded.base_url)]
        place.configure(urls)
        made = await asyncio.to_thread(_make_people, place, options)
        with program(place) as running:
            bench = Bench(running, quick, paced, recorded, made)
            await _warm_up(bench)
            return {
                "latency": [await _latency(bench, at_once, options) for at_once in (1, 32)],
                "held": await _hold(bench, options),
                "length": await _length(bench, options),
            }


def _make_people(place: House, options: Options) -> dict[str, Any]:
    sizes = ["--stories", str(options.streams), "--long", str(options.long)]
    command = [sys.executable, "-m", "mindstage.ops.bench.people", *sizes]
    made = subprocess.run(command, env=place.environment, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(made.stdout)
    return result


async def _warm_up(bench: Bench) -> None:
    for story in bench.made["quick"][:4]:
        await stream(bench.turn(story), words=QUICK.words)
        await stream(bench.direct(bench.quick), words=QUICK.words)
    await asyncio.sleep(SETTLING)


async def _latency(bench: Bench, at_once: int, options: Options) -> dict[str, Any]:
    """Direct and through the program, in rounds that alternate."""
    rounds = max(3, options.turns // at_once)
    direct: list[Timed] = []
    through: list[Timed] = []
    watch_cpu = 0.0
    others = 0.0
    for at in range(rounds):
        direct += await _crowd(at_once, lambda _: bench.direct(bench.quick), QUICK)
        watch = Watch(bench.program.pid, known=(bench.quick.pid, bench.paced.pid))
        through += await _crowd(at_once, partial(_turn_of, bench, at), QUICK)
        load = watch.read()
        watch_cpu += load.cpu
        others = max(others, load.others)
    return {
        "at_once": at_once,
        "turns": len(through),
        "not_whole": sum(not timed.whole for timed in through),
        "direct_first_p50_ms": _percentile(direct, 50, _first),
        "added_first_p50_ms": _added(through, direct, 50, _first),
        "added_first_p95_ms": _added(through, direct, 95, _first),
        "added_whole_p50_ms": _added(through, direct, 50, _total),
        "cpu_ms_a_turn": round(1000 * watch_cpu / len(through), 2),
        "others_percent": round(others),
    }


def _turn_of(bench: Bench, round_number: int, person: int) -> Asked:
    stories = bench.made["quick"]
    return bench.turn(stories[(person + round_number) % len(stories)])


async def _hold(bench: Bench, options: Options) -> dict[str, Any]:
    """As many paced streams as told, all at once, each stored sealed while it runs."""
    watch = Watch(bench.program.pid, known=(bench.quick.pid, bench.paced.pid))
    stories = bench.made["paced"]
    timed = await _crowd(len(stories), lambda i: bench.turn(stories[i]), PACED)
    load = watch.read()
    ideal = 1000 * (PACED.ttft + PACED.words / PACED.tps)
    return {
        "streams": options.streams,
        "whole": sum(one.whole for one in timed),
        "first_p50_ms": _percentile(timed, 50, _first),
        "first_p95_ms": _percentile(timed, 95, _first),
        "late_p95_percent": round(100 * ((_percentile(timed, 95, _total) or 0) / ideal - 1), 1),
        "cpu_percent_of_a_core": round(load.percent, 1),
        "memory_mib": round(load.memory),
        "others_percent": round(load.others),
    }


async def _length(bench: Bench, options: Options) -> dict[str, Any]:
    """One turn in a long story against one in a short story, in turns; and the most bytes that went upstream.

    The most, because old turns leave a prompt in blocks: of two stories one may have just lost a block.
    """
    kinds = ("short", "long", "branched")
    times: dict[str, list[Timed]] = {kind: [] for kind in kinds}
    sizes: dict[str, int] = {}
    for _ in range(max(10, options.turns // 2)):
        for kind in kinds:
            bench.recorded.requests.clear()
            times[kind].append(await stream(bench.turn(bench.made[kind]), words=QUICK.words))
            sizes[kind] = max(sizes.get(kind, 0), len(bench.recorded.requests[0].raw))
    return {
        "turns_long": options.long,
        "short_first_p50_ms": _percentile(times["short"], 50, _first),
        "long_over_short_p50_ms": _added(times["long"], times["short"], 50, _first),
        "branched_over_short_p50_ms": _added(times["branched"], times["short"], 50, _first),
        "most_upstream_bytes": sizes,
    }


async def _crowd(count: int, asked: Callable[[int], Asked], pace: Pace) -> list[Timed]:
    async def one(at: int) -> Timed:
        await asyncio.sleep(at * STAGGER)
        return await stream(asked(at), words=pace.words)

    return await asyncio.gather(*(one(at) for at in range(count)))


def _first(timed: Timed) -> float | None:
    return timed.first


def _total(timed: Timed) -> float | None:
    return timed.total


def _added(
    through: Sequence[Timed], direct: Sequence[Timed], percent: int, what: Callable[[Timed], float | None]
) -> float | None:
    ours, theirs = _percentile(through, percent, what), _percentile(direct, percent, what)
    return None if ours is None or theirs is None else round(ours - theirs, 2)


def _percentile(timed: Sequence[Timed], percent: int, what: Callable[[Timed], float | None]) -> float | None:
    values = sorted(value for one in timed if (value := what(one)) is not None)
    return round(values[min(len(values) - 1, len(values) * percent // 100)], 2) if values else None
