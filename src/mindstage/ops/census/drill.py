"""The restore drill: a backup older than the erasures, put back on a copy of the instance by the command for it."""

from __future__ import annotations

from pathlib import Path

from mindstage.datamap.scanner import Scanner
from mindstage.ledger import signing
from mindstage.ledger.signed import NotGenuine, check_json
from mindstage.ops.census.browser import Unexpected
from mindstage.ops.census.hoard import list_holdings
from mindstage.ops.census.leaving import may_sign_in, read_again, sign_in
from mindstage.ops.census.neighbours import compare_texts
from mindstage.ops.census.opening import try_everything
from mindstage.ops.census.people import Resident, each_at_once
from mindstage.ops.census.places import Lookout
from mindstage.ops.census.program import Program
from mindstage.ops.census.report import Report


def drill_restore(
    program: Program, folder: Path, *, backup: str, people: list[Resident], lookout: Lookout, report: Report
) -> None:
    """`program` is stopped. Raises Unexpected, NotStarted, Refused, ServerRefused, OSError, sqlite3.Error."""
    copy = program.copied_to(folder)
    copy.run("restore", Path(backup).name)
    _check_report(copy.folder, signing.to_text(signing.public_key(report.signing_seed)), report)
    copy.start()
    try:
        each_at_once(people, lambda person: _try_door(person, copy.port, report))
    finally:
        copy.stop()
    report.look("restored", lookout.sweep(copy.written_out(), copy.elsewhere()))
    scanner = Scanner(word for person in people for word in person.to_be_gone())
    attempt = try_everything(list_holdings(copy.folder, [], scratch=folder), scanner)
    report.attempts["after the restore drill"] = attempt.counts()
    report.complain_of_opened("after the restore drill", attempt.words)
    report.problems += compare_texts(people, attempt.texts, moment="by the restore drill")


def _check_report(instance: Path, key: str, report: Report) -> None:
    files = sorted(instance.glob("data-backups/restore-*.json"))
    try:
        said = check_json(files[-1].read_bytes(), key=key)
    except NotGenuine as reason:
        report.problems.append(f"The report of the restore: {reason}")
        return
    if said["keys_of_ended"]:
        report.problems.append("The restore left keys of people who were erased.")


def _try_door(person: Resident, port: int, report: Report) -> None:
    """Whoever left stays out; whoever stayed reads what they read before."""
    visit = person.visit
    kept, visit.other.port = visit.other.port, port
    codes = list(visit.codes)
    try:
        if person.leaves:
            if may_sign_in(visit):
                report.problems.append("Somebody who was erased came back with an old backup.")
            return
        sign_in(visit)
        if person.read - person.seen_on(read_again(visit)):
            report.problems.append("Somebody who stayed cannot read in a restored backup what they could read before.")
        visit.other.post("/session/end/", {})
    except Unexpected as refused:
        report.problems.append(f"Somebody is not let in to a restored backup, or out of it: {refused}")
    finally:
        visit.other.port, visit.codes = kept, codes
