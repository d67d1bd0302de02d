"""Take a census: start an instance of its own, plant, look, stop, look again. docs/subsystems/census.md"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from mindstage.datamap.scanner import Scanner
from mindstage.ops.census.browser import Unexpected
from mindstage.ops.census.control import find_blind_spots
from mindstage.ops.census.mailbox import Mailbox
from mindstage.ops.census.narrator import Narrator
from mindstage.ops.census.places import Found, sweep
from mindstage.ops.census.program import NotStarted, Program
from mindstage.ops.census.remains import list_remaining
from mindstage.ops.census.report import Report
from mindstage.ops.census.visit import Visit
from mindstage.ops.census.words import Fate, Words

PROVIDER_KEY = "key of the provider"


def take_census(folder: Path, *, environ: Mapping[str, str] | None = None) -> Report:
    """Everything, in an empty `folder`. `environ` is added to the environment of the program under census.

    Needs the app registry (django.setup). What goes wrong makes the report void; nothing is raised for it.
    """
    began, words = time.monotonic(), Words()
    report = Report(words.planted)
    try:
        _take(folder, words, report, environ or {})
    except (Unexpected, NotStarted, OSError, sqlite3.Error) as trouble:
        report.void.append(str(trouble))
    report.seconds = time.monotonic() - began
    return report


def _take(folder: Path, words: Words, report: Report, environ: Mapping[str, str]) -> None:
    with Narrator() as narrator, Mailbox() as mailbox:
        key = words.plant(PROVIDER_KEY, Fate.NEVER, plain=True)
        program = Program(folder / "instance", provider=narrator.base_url, provider_key=key, environ=environ, mail=mailbox.address)
        try:
            program.start()
            visit = Visit(port=program.port, words=words, narrator=narrator, mailbox=mailbox)
            visit.go()
            scanner = Scanner(planted.word for planted in words.planted)
            _prove(folder, words, report, scanner, visit.shown + b"\n" + narrator.was_sent())
            _look(report, "running", program.folder, scanner)
        finally:
            program.stop()
        _look(report, "stopped", program.folder, scanner)
        _look_at_requests(report, narrator, words)
    report.remaining = list_remaining(
        {
            "database": program.data / "database" / "mindstage.sqlite3",
            "keystore": program.data / "keystore" / "keystore.sqlite3",
        }
    )


def _prove(folder: Path, words: Words, report: Report, scanner: Scanner, shown: bytes) -> None:
    """The scanner sees, and the words were really taken in: the program has shown them again."""
    if blind := find_blind_spots([planted.word for planted in words.planted], folder / "control"):
        report.void.append(f"The scanner did not see its own words written as: {', '.join(blind)}.")
    came_back = {sighting.word for sighting in scanner.scan(shown)}
    report.not_shown = {one.slot for one in words.planted if one.shown and one.word not in came_back}
    if report.not_shown:
        report.void.append(
            f"The program never showed again what was written in: {', '.join(sorted(report.not_shown))}."
        )


def _look(report: Report, moment: str, folder: Path, scanner: Scanner) -> None:
    seen = sweep(folder, scanner)
    report.files[moment] = seen.files
    report.found |= {Found(one.word, f"{moment}: {one.place}", one.way) for one in seen.found}


def _look_at_requests(report: Report, narrator: Narrator, words: Words) -> None:
    """What may not leave: the handle, and whatever is not kept. The provider's own key goes to it, of course."""
    secret = [
        planted.word
        for planted in words.planted
        if planted.slot == "handle" or (planted.fate is Fate.NEVER and planted.slot != PROVIDER_KEY)
    ]
    report.requests = len(narrator.requests)
    sent = Scanner(secret).scan(narrator.was_sent())
    report.found |= {Found(sighting.word, "sent to the narrator", sighting.way) for sighting in sent}
