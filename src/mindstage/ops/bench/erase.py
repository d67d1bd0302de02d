"""`mindstage bench erase`: what others notice while a person with very many turns is erased.

Somebody else plays on in one process, a write at a time, each synced; the erasure runs in another, as the worker's
does. Quiet first, then beside it: the 99th percentile of their writes may be three times its quiet value at most.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from mindstage.ops.bench.house import BenchFailed, temporary_house

PROMISE = 3.0
"""How many times its quiet value the 99th percentile may be."""
QUIET_SECONDS = 8.0
EVERY = 0.02
"""Seconds from one write to the next: 50 a second, more than a full house of readers makes."""


def measure(*, turns: int) -> dict[str, Any]:
    """Figures of one run. Raises BenchFailed."""
    with temporary_house() as place:
        place.configure([])
        command = [sys.executable, "-m", "mindstage.ops.bench.erase", "--turns", str(turns)]
        settings = {"DJANGO_SETTINGS_MODULE": "mindstage.config.settings"}
        done = subprocess.run(command, env=place.environment | settings, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchFailed(f"The erasure could not be measured: {done.stderr.strip().splitlines()[-1:]}")
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return figures


def to_table(figures: dict[str, Any]) -> str:
    """Quiet and beside the erasure, in milliseconds, and the ratio beside its promise."""
    lines = [
        f"{figures['turns']:,} turns erased in {figures['seconds']} s; somebody else's writes, in milliseconds:",
        "",
    ]
    for name in ("quiet", "beside"):
        part = figures[name]
        lines.append(
            f"  {name:<7} p50 {part['p50']:>7} p99 {part['p99']:>7} most {part['most']:>7} of {part['writes']:,}"
        )
    kept = "" if figures["ratio"] <= PROMISE else "  MISSED"
    return "\n".join([*lines, "", f"  p99 {figures['ratio']} times its quiet value; at most {PROMISE}{kept}"])


def main() -> None:
    """The measured process: prints one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=0)
    parser.add_argument("--now", action="store_true")
    options = parser.parse_args()
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindstage.config.settings")
    if options.now:
        _erase()
    else:
        print(json.dumps(_measure(options.turns)), flush=True)


def _erase() -> None:
    """The worker's part: everything that is due."""
    import django

    django.setup()
    from mindstage.rights.erasure import run_due

    run_due()


def _measure(turns: int) -> dict[str, Any]:
    from django.conf import settings

    from mindstage.ops.bench.export import _make_person
    from mindstage.ops.starting import prepare

    prepare(settings.MINDSTAGE).socket.close()
    from mindstage.rights.erasure import request_erasure
    from mindstage.rights.requests import ErasureRequest
    from mindstage.vault.clocks import slow_date

    person, write = _make_person(turns), _make_writer()
    ends = time.monotonic() + QUIET_SECONDS
    quiet = _write_while(lambda: time.monotonic() < ends, write)
    request_erasure(person)
    ErasureRequest.objects.update(due_on=slow_date())
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "mindstage.ops.bench.erase", "--now"], env=os.environ)
    beside = _write_while(lambda: child.poll() is None, write)
    seconds = time.monotonic() - began
    if child.returncode or ErasureRequest.objects.get().state != "waiting":
        raise SystemExit("the erasure did not come to its end")
    figures = {"quiet": _figures(quiet), "beside": _figures(beside)}
    ratio = figures["beside"]["p99"] / figures["quiet"]["p99"]
    return {"turns": turns, "seconds": round(seconds, 1), **figures, "ratio": round(ratio, 2)}


def _make_writer() -> Callable[[int], None]:
    """Somebody else with a story; a write is one turn of theirs, committed and synced."""
    from mindstage.accounts.models import AgeBand
    from mindstage.accounts.sign_up import sign_up
    from mindstage.library.staging import stage_parts_of_starter
    from mindstage.library.starters import starters
    from mindstage.stories.beginnings import begin_story
    from mindstage.stories.models import Turn

    person = sign_up(handle="other", passphrase=secrets.token_hex(16), age_band=AgeBand.ADULT)
    parts = stage_parts_of_starter(starters()[0], "Other")
    story = begin_story(owner=person.pk, parts=parts, greeting=0, persona="Other")
    segment = story.head_id
    assert segment

    def write(number: int) -> None:
        turn = Turn(story_id=story.pk, segment_id=segment, position=number, kind=Turn.Kind.DO)
        turn.seal(text="I go on down the stair and listen.").save(force_insert=True)

    return write


_written = 0


def _write_while(going: Callable[[], bool], write: Callable[[int], None]) -> list[float]:
    """Seconds that each write took, at an even pace."""
    global _written
    took: list[float] = []
    while going():
        began = time.perf_counter()
        _written += 1
        write(_written)
        took.append(time.perf_counter() - began)
        time.sleep(max(0.0, EVERY - took[-1]))
    return took


def _figures(took: list[float]) -> dict[str, float]:
    ordered = sorted(took)
    at = {
        name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] for name, share in (("p50", 0.5), ("p99", 0.99))
    }
    return {name: round(value * 1000, 2) for name, value in at.items()} | {
        "most": round(ordered[-1] * 1000, 2),
        "writes": len(ordered),
    }


if __name__ == "__main__":
    main()
