"""After the words were planted: old copies are kept, half of the people leave, nights pass, and everything is tried."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mindstage.datamap.scanner import Scanner
from mindstage.ops.census.drill import drill_restore
from mindstage.ops.census.hoard import keep_copies, list_holdings
from mindstage.ops.census.idents import count_kept, find_idents
from mindstage.ops.census.leaving import Ask, fetch_receipt, leave, may_sign_in
from mindstage.ops.census.neighbours import compare_texts, note_pages, note_texts, visit_again
from mindstage.ops.census.opening import Attempt, try_everything
from mindstage.ops.census.people import Resident, each_at_once
from mindstage.ops.census.places import ON_SERVER, Lookout
from mindstage.ops.census.program import Program
from mindstage.ops.census.report import Report
from mindstage.ops.census.words import Fate

FROZEN_NIGHTS: Final = 3
"""Then old copies are kept once more."""
UNTIL_ERASED: Final = 8
"""Seven days of freeze, and a night for whatever the last one left."""
TO_THE_END: Final = 40
"""30 days later every clock of an erased account has run out."""


class Aftermath:
    """The second half of a census. `program` runs when it begins, and is stopped when it ends."""

    def __init__(self, folder: Path, program: Program, people: list[Resident], report: Report) -> None:
        self.folder = folder
        self.program = program
        self.people = people
        self.report = report
        self.hoards: list[Path] = []

    def run(self, ask: Ask) -> None:
        """Raises Unexpected, NotStarted, Refused, ServerRefused, KeyMistake, OSError, sqlite3.Error."""
        backup = self._back_up()
        self._remember()
        for person in self._leaving():
            person.claim_code = leave(person.visit, ask)
        self.report.asked = ask.how
        for person in self._staying():
            person.visit.end_short_life()
        self._pass_nights(0, FROZEN_NIGHTS)
        self.hoards.append(keep_copies(self.program.written_out(), self.folder / "kept-while-frozen"))
        self._pass_nights(FROZEN_NIGHTS, UNTIL_ERASED)
        self.program.run("night")
        lookout = Lookout(Scanner(one.word for person in self.people for one in person.words.planted))
        self.report.look("erased", lookout.sweep(self.program.written_out(), self.program.elsewhere()))
        self._fetch_receipts()
        self.program.stop()
        drill_restore(
            self.program,
            self.folder / "drill",
            backup=backup,
            people=self.people,
            lookout=lookout,
            report=self.report,
        )
        self._pass_nights(UNTIL_ERASED, TO_THE_END)
        self.visit_the_neighbours()
        self._try_at_the_end()

    def _leaving(self) -> list[Resident]:
        return [person for person in self.people if person.leaves]

    def _staying(self) -> list[Resident]:
        return [person for person in self.people if not person.leaves]

    def _back_up(self) -> str:
        """While all words live; the path of the backup."""
        return self.program.run("backup").split()[0]

    def _remember(self) -> None:
        """Keep copies, and open them: what cannot be opened while it lives proves nothing when it is dead."""
        self.hoards.append(keep_copies(self.program.written_out(), self.folder / "kept-while-alive"))
        attempt = self._try("while everybody lives", self.people)
        for person in self.people:
            person.account = attempt.accounts.get(person.visit.person.handle)
            lives = {one.word for one in person.lasting()} | (person.to_be_gone() & _sealed(person))
            missing = sorted({one.slot for one in person.words.planted if one.word in lives - attempt.words})
            if missing:
                self.report.void.append(f"The attempt opened nothing of what was written in: {', '.join(missing)}.")
        self._owned = attempt
        note_texts(self.people, attempt.texts)
        each_at_once(self._staying(), note_pages)

    def _try(self, moment: str, people: list[Resident]) -> Attempt:
        scanner = Scanner(one.word for person in people for one in person.words.planted)
        attempt = try_everything(list_holdings(self.program.written_out(), self.hoards, scratch=self.folder), scanner)
        self.report.attempts[moment] = attempt.counts()
        if not self.report.signing_seed:
            self.report.signing_seed = attempt.instance.get("receipt", b"")
        return attempt

    def _pass_nights(self, after: int, until: int) -> None:
        """The nights after night `after`, up to night `until`."""
        self.program.run(str(after + 1), str(until - after), module="mindstage.ops.census.nights")
        self.report.nights = until

    def _fetch_receipts(self) -> None:
        for still_in, wrong in each_at_once(self._leaving(), _fetch_receipt):
            if still_in:
                self.report.problems.append("Somebody who was erased can still log in.")
            if wrong:
                self.report.problems.append(wrong)
            self.report.receipts += not wrong
            self.report.left += 1

    def visit_the_neighbours(self) -> None:
        """Those who stayed log in, and read all that they read before. Leaves the program stopped."""
        self.program.start()
        try:
            for wrong in each_at_once(self._staying(), lambda person: list(visit_again(person, self.program.port))):
                self.report.problems += wrong
        finally:
            self.program.stop()

    def _try_at_the_end(self) -> None:
        attempt = self._try("at the end", self.people)
        self.report.problems += compare_texts(self.people, attempt.texts, moment="at the end")
        gone = set().union(*(person.to_be_gone() for person in self.people))
        self.report.complain_of_opened("at the end", attempt.words & gone)
        for person in self._staying():
            if missing := [one.slot for one in person.lasting() if one.word not in attempt.words]:
                self.report.problems.append(f"Of somebody who stayed there is no more: {', '.join(missing)}.")
        idents = {
            ident for person in self._leaving() if person.account for ident in self._owned.idents_of(person.account)
        }
        self.report.kept = count_kept(self.program.folder)
        self.report.idents = dict(find_idents(self.program.folder, idents, self.program.elsewhere()))
        if places := ", ".join(place for place in self.report.idents if not place.startswith(ON_SERVER)):
            self.report.problems.append(f"Identifiers of people who were erased stand in: {places}.")


def _fetch_receipt(person: Resident) -> tuple[bool, str]:
    """Whether somebody who left can still log in, and what is wrong with the receipt."""
    return may_sign_in(person.visit), fetch_receipt(person.visit, person.claim_code)


def _sealed(person: Resident) -> set[str]:
    return {one.word for one in person.words.planted if one.fate is Fate.SEALED}
