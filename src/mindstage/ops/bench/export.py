"""`mindstage bench export`: how fast a person's data is taken out, part by part, and with how much memory.

A person with stories is made in a temporary instance, in a process of its own, and taken out as the worker does it:
opened, written as JSON or as an edition, packed, hashed, sealed and synced to the disk. docs/performance-export.md
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import secrets
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mindstage.ops.bench.house import BenchFailed, temporary_house

PROMISE = 75_000
"""Turns a second of the JSON part, on two cores."""
STORIES = 10
WORDS_A_TURN = 55
_SYLLABLES = [
    "ka",
    "lo",
    "mi",
    "ren",
    "tas",
    "ve",
    "or",
    "una",
    "shi",
    "del",
    "bra",
    "ny",
    "qu",
    "est",
    "ilo",
    "pha",
    "mon",
    "dra",
    "ge",
    "wil",
]


def measure(*, turns: int, memory: bool = False) -> dict[str, Any]:
    """Figures of one run; with `memory`, of one whole archive and its peak alone. Raises BenchFailed."""
    with temporary_house() as place:
        place.configure([])
        command = [
            sys.executable,
            "-m",
            "mindstage.ops.bench.export",
            "--turns",
            str(turns),
            *(["--memory"] if memory else []),
        ]
        done = subprocess.run(command, env=place.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchFailed(f"The export could not be measured: {done.stderr.strip().splitlines()[-1:]}")
        figures: dict[str, Any] = json.loads(done.stdout)
        return figures


def to_table(figures: dict[str, Any]) -> str:
    """A line a part: turns a second, megabytes, seconds, CPU seconds of both threads; JSON beside its promise."""
    lines = [f"{figures['turns']:,} turns in {STORIES} stories, {figures['characters_a_turn']} characters each", ""]
    for name, part in figures["parts"].items():
        promise = ""
        if name == "json":
            promise = f"at least {PROMISE:,}" + ("" if part["turns_a_second"] >= PROMISE else "  MISSED")
        lines.append(
            f"  {name:<10} {part['turns_a_second']:>10,} turns/s {part['megabytes']:>8} MB {part['seconds']:>8} s "
            f"{part['cpu_seconds']:>8} s CPU  "
            f"{promise}".rstrip()
        )
    return "\n".join(
        [*lines, "", f"  peak of the process: {figures['peak_mib']} MiB ({figures['before_mib']} MiB before)"]
    )


def main() -> None:
    """The measured process: prints one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, required=True)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindstage.config.settings")
    from django.conf import settings

    from mindstage.ops.starting import prepare

    prepare(settings.MINDSTAGE).socket.close()
    person = _make_person(options.turns)
    parts = _ALL if options.memory else _PARTS
    print(json.dumps(_measure(person, options.turns, parts)), flush=True)


def _make_person(turns: int) -> uuid.UUID:
    from mindstage.accounts.models import AgeBand
    from mindstage.accounts.sign_up import sign_up
    from mindstage.library.staging import stage_parts_of_starter
    from mindstage.library.starters import starters
    from mindstage.stories.beginnings import begin_story

    person = sign_up(handle="measure", passphrase=secrets.token_hex(16), age_band=AgeBand.ADULT)
    words = _make_words()
    for _ in range(STORIES):
        parts = stage_parts_of_starter(starters()[0], "Measure")
        story = begin_story(owner=person.pk, parts=parts, greeting=0, persona="Measure")
        assert story.head_id
        _fill(story.pk, story.head_id, turns // STORIES, words)
    return person.pk


def _make_words() -> list[str]:
    """A vocabulary about as rich as a story's, so that it packs as prose does."""
    chance = random.Random(7)  # noqa: S311 - words, not secrets
    return ["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 3))) for _ in range(6_000)]


def _fill(story: uuid.UUID, segment: uuid.UUID, turns: int, words: list[str]) -> None:
    from mindstage.stories.models import Turn

    chance = random.Random(story.int)  # noqa: S311
    weights = [1 / (rank + 1) for rank in range(len(words))]
    kinds = (Turn.Kind.DO, Turn.Kind.REPLY)
    for first in range(1, turns, 5_000):
        rows = [
            Turn(story_id=story, segment_id=segment, position=at, kind=kinds[at % 2]).seal(
                text=" ".join(chance.choices(words, weights, k=WORDS_A_TURN)).capitalize() + "."
            )
            for at in range(first, min(first + 5_000, turns))
        ]
        Turn.objects.bulk_create(rows, batch_size=500)


def _measure(person: uuid.UUID, turns: int, parts_of: Mapping[str, int]) -> dict[str, Any]:
    from mindstage.stories.models import Turn
    from mindstage.vault.purposes import Purpose

    before = _forget_peak()
    parts = {name: _time(_files_of(name, person), turns, rounds) for name, rounds in parts_of.items()}
    text = Turn.objects.filter(position=1).first()
    assert text is not None
    return {
        "turns": turns,
        "characters_a_turn": len(text.open("text", Purpose.EXPORT)),
        "parts": parts,
        "before_mib": before,
        "peak_mib": _peak(),
    }


def _forget_peak() -> int:
    """Let the peak begin anew, so that making the stories does not count (Linux); MiB in use now."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    """MiB."""
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


_ENDINGS = {"json": ".json", "markdown": ".md", "html": ".html", "epub": ".epub", "chats": ".jsonl"}
_ALL = {"everything": 1}
_PARTS = dict.fromkeys(_ENDINGS, 3) | {"everything": 3}
"""What is measured -> how often."""


def _files_of(name: str, person: uuid.UUID) -> Callable[[], Iterator[Any]]:
    from mindstage.rights.packing import list_files

    return _editions(person, _ENDINGS[name]) if name in _ENDINGS else lambda: list_files(person)


def _editions(person: uuid.UUID, ending: str) -> Callable[[], Iterator[Any]]:
    """Only the files of one kind, made by the same code; the others are named but never begun."""
    from mindstage.rights.packing import _file
    from mindstage.stories.editions import data
    from mindstage.stories.editions.opening import open_story
    from mindstage.stories.holdings import _editions as editions_of
    from mindstage.stories.models import Story

    def files() -> Iterator[Any]:
        for row in Story.objects.filter(owner=person).order_by("id"):
            story = open_story(row)
            if ending == ".json":
                yield from _file(f"{row.pk}/story.json", data.to_head(story))
                for number, part in enumerate(data.to_parts(row.pk)):
                    yield from _file(f"{row.pk}/turns-{number}.json", part)
                continue
            for name, value in editions_of(story, str(row.pk)):
                if name.endswith(ending):
                    yield from _file(name, value)

    return files


def _time(files: Callable[[], Iterator[Any]], turns: int, rounds: int) -> dict[str, Any]:
    """From the first row to the synced file, the best of so many rounds."""
    return min((_once(files, turns) for _ in range(rounds)), key=lambda part: float(part["seconds"]))


def _once(files: Callable[[], Iterator[Any]], turns: int) -> dict[str, Any]:
    from functools import partial

    from mindstage.rights.export import _store, _Written, folder
    from mindstage.rights.pipes import feed
    from mindstage.vault.files import make_private_folder

    make_private_folder(folder())
    written, draft = _Written(), folder() / "measured.new"
    began, burnt = time.perf_counter(), time.process_time()
    feed(files(), partial(_store, draft, b"measured", (os.urandom(32), os.urandom(32)), "", written))
    seconds, burnt = time.perf_counter() - began, time.process_time() - burnt
    draft.unlink()
    return {
        "turns_a_second": round(turns / seconds),
        "megabytes": round(written.size / 1e6, 1),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(burnt, 2),
    }


if __name__ == "__main__":
    main()
