"""The census finds nothing in what the program leaves behind, and would find everything if nothing were sealed."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from browser import browsers, find_chromium  # noqa: F401  a fixture
from doors.addresses import STREAMS
from mindstage.datamap.scanner import Scanner
from mindstage.ledger.signed import NotGenuine, check_json
from mindstage.ops.backup import ENDING as BACKUP
from mindstage.ops.census.aftermath import Aftermath
from mindstage.ops.census.census import Census, take_census
from mindstage.ops.census.drill import drill_restore
from mindstage.ops.census.hoard import list_holdings
from mindstage.ops.census.leaving import BY_FORMS, Ask
from mindstage.ops.census.neighbours import compare_texts
from mindstage.ops.census.opening import try_everything
from mindstage.ops.census.places import Lookout, sweep
from mindstage.ops.census.report import CLEAN, FOUND, Report
from mindstage.ops.census.words import Fate, make_word
from mindstage.ops.commands.census import sign_report
from system.census_in_chromium import ask_in_chromium
from system.program import CHEAP, cheap_with

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("census")]  # one process: the censuses are taken once

BLIND = Path(__file__).parent / "blind"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("census")


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A census of a program whose cipher does nothing."""
    folder = tmp_path_factory.mktemp("control")
    return take_census(folder, environ=cheap_with(BLIND), to_the_end=False)


@pytest.fixture(scope="module")
def ask(request: pytest.FixtureRequest) -> Ask:
    """The erasure is asked for in Chromium; where there is none, by the plain forms of the same pages."""
    if find_chromium() is None:
        return BY_FORMS
    return ask_in_chromium(request.getfixturevalue("browsers").give())


@pytest.fixture(scope="module")
def taken(control: Report, folder: Path, ask: Ask) -> Census:
    """The census, after its control, with its people."""
    census = Census(folder, Report([]), users=2, environ=CHEAP, ask=ask)
    census.take(to_the_end=True)
    return census


@pytest.fixture(scope="module")
def census(taken: Census) -> Report:
    """What it says."""
    return taken.report


def slots(report: Report, fate: Fate) -> set[str]:
    return {planted.slot for planted in report.planted if planted.fate is fate}


def test_the_control_finds_every_kept_word(control: Report) -> None:
    """With a cipher that does nothing every word that is kept is found, while the program runs and after it."""
    assert control.void == []
    assert slots(control, Fate.SEALED) - control.found_slots == set()
    assert control.exit_code == FOUND
    for moment in ("running: ", "stopped: "):
        words = {found.word for found in control.found if found.place.startswith(moment)}
        assert {one.slot for one in control.planted if one.fate is Fate.SEALED and one.word not in words} == set()


def test_the_control_finds_no_word_that_is_not_kept(control: Report) -> None:
    """What may never be kept (passphrases, cookies, addresses, file names, metadata) is not there even unsealed."""
    assert slots(control, Fate.NEVER) & control.found_slots == set()
    assert len(slots(control, Fate.NEVER)) > 30


def test_nothing_is_found(census: Report) -> None:
    """In database, write-ahead log, keystore, keys, logs, backups, temporary files and requests: no planted word.

    While people live, after half of them were erased, in a restored backup, and forty days later.
    """
    assert census.void == []
    assert census.found == set()
    assert (census.problems, census.pictures, census.strange) == ([], set(), set())
    assert census.exit_code == CLEAN
    assert set(census.files) == {"running", "erased", "restored", "stopped"}


def test_what_was_erased_opens_with_no_key_that_is_left(census: Report) -> None:
    """Every sealed value and file of the instance, of old copies and of backups, with every key: before, and after.

    Before, everything but what a cookie alone opens does open; so the attempt is one. After, there is less that opens.
    """
    alive, restored, end = census.attempts.values()
    assert alive["opened"] > 150
    assert alive["files_opened"] == alive["files"] >= 3
    assert alive["values"] - alive["opened"] < 20, "sessions, and what waits at doors"
    for after in (restored, end):
        assert 0 < after["opened"] < alive["opened"] * 0.6
        assert after["tried"] > after["values"]
    assert end["files"] > end["files_opened"] >= 29, "the backups of before are noise, those of today open"


def test_the_erased_leave_a_receipt_and_next_to_nothing(census: Report) -> None:
    """One of two was erased, and holds a genuine receipt. What is kept of them is counted, and no identifier is."""
    assert (census.people, census.left, census.receipts, census.nights) == (2, 1, 1, 40)
    assert sorted(census.kept.values()) == [0, 0, 1, 1]
    assert not [place for place in census.idents if ": " in place]


def test_it_looked_everywhere(census: Report, control: Report) -> None:
    """The open write-ahead log, both databases, the keys and the log were among the files; nobody wrote elsewhere."""
    for name in ("data/database/mindstage.sqlite3", "data/database/mindstage.sqlite3-wal", "keys/root.key"):
        assert census.files["running"][name] > 0
    for moment in ("running", "stopped"):
        assert {"data/keystore/keystore.sqlite3", "keys/epoch.json", "terminal.log"} <= set(census.files[moment])
        assert not [name for name in census.files[moment] if name.startswith(("tmp/", "home/"))]
    assert slots(census, Fate.SEALED) == slots(control, Fate.SEALED)
    assert census.requests >= 20
    assert census.letters >= 2


def test_what_remains_in_clear_is_declared(census: Report) -> None:
    """Each clear column of each table belongs to an entry of the data map, or says why it is about nobody."""
    assert len(census.remaining) > 40
    assert not [one for one in census.remaining if one.note == "undeclared"]
    columns = {one.column for one in census.remaining}
    assert {"accounts_user.handle_tag", "stories_turn.position", "vault_userkey.wrapped"} <= columns
    assert not columns & {"stories_turn.text", "accounts_user.handle", "library_character.card"}


NOT_WRITTEN_TO = {
    "session_one_end": "names a session and takes no word",
    "sessions_end": "takes no word",
    "email_removal": "takes no word; the address is wanted for letters until the end",
    "passkey_removal": "names a passkey and takes no word",
    "totp_removal": "takes no word",
    "installation": "the owner's alone; names a model that the program knows",
    "character_trash": "names a character and takes no word",
    "own_persona_trash": "names a persona and takes no word",
    "own_lorebook_trash": "names a lorebook and takes no word",
    "own_scenario_trash": "names a scenario and takes no word",
    "choice": "names a version",
    "trash_undo": "names a turn and takes no word",
    "turn_end": "names a turn and takes no word",
    "replies": "names a reply and what to do with it, and takes no word",
    "branches": "names a turn and takes no word",
    "branch": "names a branch and takes no word",
    "policy_notice": "names a version of the policy; there is none to come",
    "export_end": "names an export and takes no word",
    "erasure_end": "takes no word, or a claim code, as the receipt does",
    "item_undo": "names a thing in the trash and takes no word",
    "trash_end": "names things in the trash and takes no word",
    "erasures": "in Chromium, which does not tell this list",
    "/stream/runs/*/stop": "names a reply and takes no word",
}
"""Addresses that something can be sent to, and to which the census sends nothing -> why."""


def takes_posts(view: Any) -> bool:
    """Whether a view lets POST through, as the decorator that names its methods says."""
    while view is not None:
        for cell in view.__closure__ or ():
            told = cell.cell_contents
            if isinstance(told, list | tuple) and told and {*told} <= {"GET", "HEAD", "POST"}:
                return "POST" in told
        view = getattr(view, "__wrapped__", None)
    return True


def every_address(patterns: list[Any]) -> Iterator[URLPattern]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from every_address(one.url_patterns)
        else:
            yield one


def test_something_is_sent_to_every_address_that_takes_something(census: Report) -> None:
    """A new form fails here until the census fills it in, or says why it need not; no excuse outlives its address."""
    pages = every_address(get_resolver("mindstage.config.urls").url_patterns)
    taking = {str(one.name) for one in pages if takes_posts(one.callback)}
    taking |= {"/" + "/".join(("stream", *route)) for method, *route in STREAMS if method == "POST"}
    assert taking - census.written_to == NOT_WRITTEN_TO.keys() - census.written_to
    assert NOT_WRITTEN_TO.keys() <= taking
    assert NOT_WRITTEN_TO.keys() & census.written_to <= {"erasures"}


def test_every_door_that_opens_with_a_passkey_is_walked(taken: Census, census: Report) -> None:
    """Signing up, adding one, logging in, showing again who one is; what devices and strangers send is planted too."""
    assert [person.visit.by_passkey for person in taken.people] == [False, True]
    assert {"id of a passkey", "id of a passkey that signed up", "name of a passkey, corrected"} <= slots(
        census, Fate.SEALED
    )
    assert {"challenge to a passkey", "handle of a sign-up that was given up"} <= slots(census, Fate.PASSING)
    assert {
        "handle of a child with a passkey",
        "passkey that is none",
        "id of a passkey of nobody",
        "id of a passkey of nobody, as a proof",
        "signature of a passkey",
    } <= slots(census, Fate.NEVER)
    signed = [one for one in census.planted if one.slot == "signature of a passkey"]
    assert len(signed) >= 8, "each of two logs in and shows who they are, and strangers try the same"


def test_it_says_how_the_erasures_were_asked_for(census: Report) -> None:
    """In Chromium, or by forms alone where there is none: never in silence."""
    how = "in Chromium" if find_chromium() else BY_FORMS.how
    assert census.asked == how
    assert any(how in line for line in census.lines())


def test_the_whole_report_is_signed_and_verified(census: Report, tmp_path: Path) -> None:
    """With everything that an erasure adds to it; one changed number is noticed."""
    signed = sign_report(census, settings.MINDSTAGE)
    assert signed["signed_by"] == "the instance that the census made"
    key = signed["signature"]["key"]
    said = check_json(json.dumps(signed).encode(), key=key)
    assert (said["result"], said["erased"], said["receipts_verified"], said["nights"]) == ("clean", 1, 1, 40)
    assert said["erasures_asked_for"] == census.asked
    with pytest.raises(NotGenuine):
        check_json(json.dumps(signed | {"erased": 2}).encode(), key=key)
    (tmp_path / "census.json").write_text(json.dumps(signed))
    (tmp_path / "key").write_text(key)
    verify = ["receipt", "verify", str(tmp_path / "census.json"), "--key", str(tmp_path / "key")]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "mindstage", *verify],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Its result: clean; 1 of 2 people were erased" in done.stdout


def hurt(taken: Census, folder: Path, harm: str, *about: object) -> Report:
    """A fault planted in a copy of what was left, and what those say of it who stayed, and their texts."""
    program = taken.program.copied_to(folder / "hurt")
    with sqlite3.connect(program.data / "database" / "mindstage.sqlite3") as database:
        assert database.execute(harm, about).rowcount
    database.close()
    report, kept = Report([]), [(person.visit, list(person.visit.codes)) for person in taken.people]
    try:
        Aftermath(folder, program, taken.people, report).visit_the_neighbours()
    finally:
        for visit, codes in kept:
            visit.codes = codes
    holdings = list_holdings(program.folder, [], scratch=folder)
    holdings.sealed_files.sort(key=lambda path: path.stat().st_mtime)
    del holdings.sealed_files[:-2]  # two of the backups that still have every text; the others were tried already
    attempt = try_everything(holdings, Scanner([make_word()]))
    assert attempt.files_opened == 2
    report.problems += compare_texts(taken.people, attempt.texts, moment="at the end")
    return report


def test_a_neighbour_who_was_left_alone_misses_nothing(taken: Census, tmp_path: Path) -> None:
    """The same look at a copy in which nothing changed."""
    assert hurt(taken, tmp_path, "UPDATE django_migrations SET app = app").problems == []


@pytest.mark.parametrize("harm", ["DELETE FROM stories_turn WHERE kind = 'reply'", "DELETE FROM library_character"])
def test_a_neighbour_who_was_hurt_is_noticed(taken: Census, tmp_path: Path, harm: str) -> None:
    """An erasure that took something of whoever stayed: the pages show it, and the texts."""
    pages, texts = hurt(taken, tmp_path, harm).problems
    assert pages.startswith("Somebody who stayed can no longer read: ")
    assert texts.startswith("Texts of somebody who stayed are lost or changed at the end ")


@pytest.mark.parametrize("slot", ["turn, say", "turn before it was edited"])
@pytest.mark.parametrize("copy", [0, 1])
def test_one_garbled_turn_of_a_neighbour_is_noticed(taken: Census, tmp_path: Path, slot: str, copy: int) -> None:
    """Of the story or of its copy that was brought in, though the other one still has the words, and backups have.

    One that was edited is on no page; the other kind is missed on its own page too.
    """
    (stays,) = [person for person in taken.people if not person.leaves]
    (word,) = [one.word for one in stays.words.planted if one.slot == slot]
    turns = [where for where, (_, words) in sorted(stays.texts.items()) if words == {word}]
    assert len({where.row for where in turns}) == 2
    table, column = turns[copy].column.split(".")
    garble = f"UPDATE {table} SET {column} = substr({column}, 1, length({column}) - 1) WHERE id = ?"
    report = hurt(taken, tmp_path, garble, turns[copy].row.hex)
    assert report.exit_code == FOUND
    place = f"(1, in {turns[copy].column}): {slot}."
    assert report.problems[-1] == f"Texts of somebody who stayed are lost or changed at the end {place}"
    assert len(report.problems) == (2 if slot == "turn, say" else 1)


def test_a_neighbour_who_is_not_let_in_is_noticed(taken: Census, tmp_path: Path) -> None:
    """That is a find, and makes no census void."""
    report = hurt(taken, tmp_path, "DELETE FROM accounts_user")
    assert (report.exit_code, report.void) == (FOUND, [])
    assert report.problems[0].startswith("Somebody who stayed is not let in: POST /session/new/ was answered with ")


def test_a_neighbour_whose_passkey_is_gone_is_noticed(taken: Census, tmp_path: Path) -> None:
    """Their passphrase still opens the door."""
    problems = hurt(taken, tmp_path, "DELETE FROM accounts_factor WHERE kind = 'passkey'").problems
    assert "Somebody who stayed can no longer log in with their passkey." in problems


def test_somebody_who_was_not_erased_is_noticed(taken: Census, tmp_path: Path) -> None:
    """As if whoever stayed had been erased, and nothing were done: the door, what opens, and identifiers tell on it."""
    (stays,) = [person for person in taken.people if not person.leaves]
    gone, lookout = replace(stays, leaves=True), Lookout(Scanner([make_word()]))
    report = Report(list(stays.words.planted), signing_seed=taken.report.signing_seed)
    backup = max((taken.program.folder / "data-backups").glob(f"*{BACKUP}"), key=lambda path: path.stat().st_mtime)
    drill_restore(taken.program, tmp_path / "drill", backup=str(backup), people=[gone], lookout=lookout, report=report)
    door, opened = report.problems
    assert door == "Somebody who was erased came back with an old backup."
    assert opened.startswith("What was erased could still be opened after the restore drill: ")
    aftermath = Aftermath(tmp_path, taken.program, [gone], report)
    aftermath._owned = aftermath._try("before", [gone])
    report.problems.clear()
    aftermath._try_at_the_end()
    opened, idents = report.problems
    assert opened.startswith("What was erased could still be opened at the end: ")
    assert "turn, say" in opened
    assert idents.startswith("Identifiers of people who were erased stand in: ")
    assert report.exit_code == FOUND


def test_one_clear_word_in_the_write_ahead_log_is_found(census: Report, folder: Path, tmp_path: Path) -> None:
    """A fault planted in a copy of what was looked at: one word at the end of the log."""
    copy = Path(shutil.copytree(folder / "instance" / "data", tmp_path / "data"))
    word = make_word()
    assert sweep(copy, Scanner([word])).found == set()
    log = copy / "database" / "mindstage.sqlite3-wal"
    log.write_bytes((log.read_bytes() if log.exists() else b"") + b"\x00\x2d" + word.encode() + b"\x00")
    assert {(one.word, one.place) for one in sweep(copy, Scanner([word])).found} == {
        (word, "database/mindstage.sqlite3-wal")
    }


def test_one_clear_word_in_a_row_is_found(census: Report, folder: Path, tmp_path: Path) -> None:
    """A fault planted in a column, across the border of two pages, is found with the column's name."""
    copy = Path(shutil.copytree(folder / "instance" / "data", tmp_path / "data"))
    word = make_word()
    with sqlite3.connect(copy / "database" / "mindstage.sqlite3") as database:
        database.execute("UPDATE stories_turn SET text = ? WHERE position = 0", [b"\x01" * 9_000 + word.encode() * 400])
    database.close()
    places = {one.place for one in sweep(copy, Scanner([word])).found}
    assert "database/mindstage.sqlite3: stories_turn.text" in places


def test_the_report_tells_no_word(census: Report, control: Report) -> None:
    """The report names places, never the words themselves, so that a report is no copy of what was planted."""
    for report in (census, control):
        text = "\n".join(report.lines()) + json.dumps(report.as_json())
        assert Scanner(planted.word for planted in report.planted).scan(text.encode()) == set()
