"""Take a census: an instance of its own, plant, look, erase, let time pass, look again. docs/subsystems/census.md"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from mindstage.datamap.scanner import Scanner
from mindstage.ops.census.addresses import name_addresses
from mindstage.ops.census.aftermath import Aftermath
from mindstage.ops.census.browser import Unexpected
from mindstage.ops.census.control import find_blind_spots
from mindstage.ops.census.hoard import DATABASE, KEYSTORE
from mindstage.ops.census.keys_left import gather_keys
from mindstage.ops.census.leaving import BY_FORMS, Ask
from mindstage.ops.census.mailbox import Mailbox
from mindstage.ops.census.narrator import Narrator
from mindstage.ops.census.on_server import Databases
from mindstage.ops.census.people import Resident, all_planted, each_at_once
from mindstage.ops.census.places import Found, Lookout
from mindstage.ops.census.program import NotStarted, Program, Refused
from mindstage.ops.census.remains import UNDECLARED, list_remaining
from mindstage.ops.census.report import Report
from mindstage.ops.census.visit import Visit
from mindstage.ops.census.ways_in import ADDRESS, FIRST_HANDLE, HANDLE, LETTER_CODE
from mindstage.ops.census.words import Fate, Words
from mindstage.ops.servers import ServerRefused
from mindstage.vault.root_key import KeyMistake

PROVIDER_KEY: Final = "key of the provider"
FEWEST: Final = 2
"""One who leaves, and a neighbour who stays."""


def take_census(
    folder: Path,
    *,
    users: int = FEWEST,
    environ: Mapping[str, str] | None = None,
    to_the_end: bool = True,
    ask: Ask = BY_FORMS,
    server: str = "",
) -> Report:
    """Everything, in an empty `folder`. `environ` is added to the environment of the program under census.

    `server`: the address of a PostgreSQL server, on which it makes databases of its own; they are dropped in the end.
    `to_the_end`: erase and let time pass too; else only plant and look. `ask`: how an erasure is asked for. Needs the
    app registry (django.setup). What goes wrong makes the report void; nothing is raised for it.
    """
    report = Report([])
    began = time.monotonic()
    try:
        with _databases_on(server) as databases:
            report.server = databases.describe() if databases else ""
            census = Census(folder, report, users=max(users, FEWEST), environ=environ or {}, ask=ask)
            census.databases = databases
            census.take(to_the_end=to_the_end)
    except (Unexpected, NotStarted, Refused, ServerRefused, KeyMistake, OSError, sqlite3.Error) as trouble:
        report.void.append(str(trouble))
    report.seconds = time.monotonic() - began
    return report


@contextmanager
def _databases_on(server: str) -> Iterator[Databases | None]:
    """Raises ServerRefused, OSError."""
    if not server:
        yield None
        return
    databases = Databases(server)
    try:
        databases.make()
        yield databases
    finally:
        databases.drop()


class Census:
    """One census: its program, its people, what it saw. `program`: once it was taken, and then it is stopped."""

    program: Program
    databases: Databases | None = None

    def __init__(self, folder: Path, report: Report, *, users: int, environ: Mapping[str, str], ask: Ask) -> None:
        self.folder = folder
        self.report = report
        self.users = users
        self.environ = environ
        self.ask = ask
        self.people: list[Resident] = []
        self.own_words = Words()

    def take(self, *, to_the_end: bool) -> None:
        """Raises whatever makes it void."""
        with Narrator() as narrator, Mailbox() as mailbox:
            program = self.program = self._program(narrator, mailbox)
            try:
                program.start()
                self._settle(program, narrator, mailbox)
                self._prove(program, narrator)
                self._look_at_requests(narrator)
                if to_the_end:
                    Aftermath(self.folder, program, self.people, self.report).run(self.ask)
            finally:
                program.stop()
                self._count()
            self._look_at_letters(mailbox)
            self.report.look("stopped", Lookout(self._scanner()).sweep(program.written_out(), program.elsewhere()))
            self.report.remaining = list_remaining(
                {"database": program.folder / DATABASE, "keystore": program.folder / KEYSTORE}
            )
            self._refuse_undeclared()
            self._take_seed(program)

    def _program(self, narrator: Narrator, mailbox: Mailbox) -> Program:
        key = self.own_words.plant(PROVIDER_KEY, Fate.NEVER, plain=True)
        return Program(
            self.folder / "instance",
            provider=narrator.base_url,
            provider_key=key,
            environ=self.environ,
            mail=mailbox.address,
            databases=self.databases,
        )

    def _settle(self, program: Program, narrator: Narrator, mailbox: Mailbox) -> None:
        """Everybody signs up, plays, and writes into whatever can be written into; every second one will leave."""
        for number in range(self.users):
            by_passkey = number // 2 % 2 != number % 2  # one of the first two, and of every two after them the other
            visit = Visit(port=program.port, words=Words(), narrator=narrator, mailbox=mailbox, by_passkey=by_passkey)
            self.people.append(Resident(visit, leaves=number % 2 == 0))
        each_at_once(self.people, lambda person: person.visit.go())
        for person in self.people:
            person.visit.go_on()
        self._count()

    def _count(self) -> None:
        self.report.planted[:] = self.own_words.planted + all_planted(self.people)
        self.report.people = len(self.people)
        browsers = [one for person in self.people for one in (person.visit.browser, person.visit.other)]
        self.report.written_to = name_addresses(path for browser in browsers for path in browser.posted)

    def _scanner(self) -> Scanner:
        return Scanner(one.word for one in self.report.planted)

    def _prove(self, program: Program, narrator: Narrator) -> None:
        """The scanner sees; the words were really taken in: the program has shown them again. Then the first look."""
        scanner, planted = self._scanner(), self.report.planted
        if blind := find_blind_spots([one.word for one in planted], self.folder / "control"):
            self.report.void.append(f"The scanner did not see its own words written as: {', '.join(blind)}.")
        seen = scanner.scan(narrator.was_sent()).union(*(scanner.scan(person.visit.shown) for person in self.people))
        came_back = {sighting.word for sighting in seen}
        self.report.not_shown = {one.slot for one in planted if one.shown and one.word not in came_back}
        if self.report.not_shown:
            slots = ", ".join(sorted(self.report.not_shown))
            self.report.void.append(f"The program never showed again what was written in: {slots}.")
        self.report.look("running", Lookout(scanner).sweep(program.written_out(), program.elsewhere()))

    def _look_at_requests(self, narrator: Narrator) -> None:
        """What may not leave: handles, and whatever is not kept. The provider's own key goes to it, of course."""
        secret = [
            planted.word
            for planted in self.report.planted
            if planted.slot in (HANDLE, FIRST_HANDLE) or (planted.fate is Fate.NEVER and planted.slot != PROVIDER_KEY)
        ]
        self.report.requests = len(narrator.requests)
        sent = Scanner(secret).scan(narrator.was_sent())
        self.report.found |= {Found(sighting.word, "sent to the narrator", sighting.way) for sighting in sent}

    def _look_at_letters(self, mailbox: Mailbox) -> None:
        """A letter holds one address, and a fixed sentence or a code; nothing else that anybody wrote."""
        slots = (ADDRESS, LETTER_CODE)
        secret = [one.word for one in self.report.planted if one.slot not in slots]
        self.report.letters = len(mailbox.letters)
        sent = Scanner(secret).scan("\n".join(mailbox.letters).encode())
        self.report.found |= {Found(sighting.word, "in a letter", sighting.way) for sighting in sent}

    def _refuse_undeclared(self) -> None:
        columns = [one.column for one in self.report.remaining if one.note == UNDECLARED]
        if columns:
            self.report.problems.append(f"Columns that the data map does not know: {', '.join(columns)}.")

    def _take_seed(self, program: Program) -> None:
        """What the instance signs with. Where its keys are sealed by another cipher, the report has no signature."""
        folder = program.folder
        epochs = [folder / "keys", folder / "keys-escrow"]
        with suppress(KeyMistake):
            keys = gather_keys(root=folder / "keys", epochs=epochs, keystores=[folder / KEYSTORE], copies=[])
            self.report.signing_seed = keys.instance["receipt"]
