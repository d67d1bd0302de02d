"""`mindstage backup` and `mindstage restore` as people run them: real processes on a real instance."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from library import card_makers as make
from people import PASSPHRASE
from system.program import CHEAP, Program
from system.visitor import Visitor

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with one account, stopped, with a backup of that time."""
    program = Program(tmp_path_factory.mktemp("made") / "instance", CHEAP, forked=True).start()
    try:
        Visitor(program).sign_up("ada")
        assert program.stop() == 0
    finally:
        program.kill()
    taken = program.run("backup")
    assert taken.returncode == 0, taken.stdout
    assert ".backup" in taken.stdout
    return program.folder


@pytest.fixture
def lived_in(made_once: Path, tmp_path: Path) -> Iterator[Program]:
    program = Program(Path(shutil.copytree(made_once, tmp_path / "instance")), CHEAP, forked=True)
    yield program
    program.kill()


def signs_in(program: Program, handle: str) -> bool:
    form = {"handle": handle, "passphrase": PASSPHRASE}
    return Visitor(program).post("/session/new/", form).status == 302


def add_people(program: Program, *handles: str) -> None:
    program.start()
    for handle in handles:
        Visitor(program).sign_up(handle)
    assert program.stop() == 0


def database(program: Program) -> Path:
    return program.data / "database" / "mindstage.sqlite3"


def keystore(program: Program) -> Path:
    return program.data / "keystore" / "keystore.sqlite3"


def ledger(program: Program) -> Path:
    return program.data / "ledger" / "ledger.jsonl"


def backups(program: Program) -> Path:
    return program.folder / "data-backups"


def end_something(program: Program) -> None:
    """An entry in the ledger, by the program's own deed."""
    deed = (
        "import django, uuid; django.setup(); from mindstage.ledger.book import Kind; "
        "from mindstage.vault.ending import *; chain = record(Kind.ITEM, uuid.uuid4()); "
        "apply_to_keystore(chain, handle_of=lambda _: None); apply_to_database(chain)"
    )
    environ = {**program._environ(), "DJANGO_SETTINGS_MODULE": "mindstage.config.settings"}
    subprocess.run([sys.executable, "-c", deed], env=environ, cwd=program.folder, check=True, timeout=60)


def test_a_backup_while_the_server_runs(lived_in: Program) -> None:
    """It asks for no stop, waits for one that is being taken, and says until when it opens."""
    before = set(backups(lived_in).glob("*.backup"))
    lived_in.start()
    taken = lived_in.run("backup")
    assert taken.returncode == 0, taken.stdout
    said = next(line for line in taken.stdout.splitlines() if "opens until" in line)
    assert Path(said.split()[0]) in set(backups(lived_in).glob("*.backup")) - before  # the night may take one beside it


def test_a_restore_wants_the_server_stopped(lived_in: Program) -> None:
    """But for the list of backups, which only looks: whoever plans one may ask beside the server."""
    lived_in.start()
    refused = lived_in.run("restore", "--replay")
    assert refused.returncode == 2
    assert "stop it, and do this again" in refused.stdout
    listed = lived_in.run("restore", "list")
    assert (listed.returncode, ".backup" in listed.stdout, "opens until" in listed.stdout) == (0, True, True)


def test_an_old_database_put_back_answers_503_until_it_was_replayed(lived_in: Program) -> None:
    """A plain start serves nothing; `restore --replay` opens it again."""
    old = database(lived_in).read_bytes()
    add_people(lived_in, "bert", "cleo")
    database(lived_in).write_bytes(old)
    examined = lived_in.run("doctor")
    assert (examined.returncode, "age: The database is older" in examined.stdout) == (2, True)
    said = lived_in.said()
    lived_in.start()
    begun = lived_in.said().removeprefix(said)
    assert ("Mindstage is closed" in begun, "is ready" in begun, "restore --replay" in begun) == (True, False, True)
    for accepts, begins in (("*/*", b"Mindstage is closed"), ("text/html,*/*", b"<!doctype html>"),
                            ("application/json", b'{"say": "Mindstage is closed')):  # fmt: skip
        status, body = lived_in.get("/", {"Accept": accepts})
        assert (status, body[: len(begins)]) == (503, begins)
        assert (b"restore --replay" in body) == (accepts != "application/json")
    assert lived_in.get("/healthz")[0] == 503
    assert "is closed or begins just now" in lived_in.run("doctor", "--port", str(lived_in.port)).stdout
    assert lived_in.stop() == 0
    replayed = lived_in.run("restore", "--replay")
    assert replayed.returncode == 0, replayed.stdout
    lived_in.start()
    assert signs_in(lived_in, "ada")
    assert not signs_in(lived_in, "bert")


@pytest.mark.parametrize("running", [False, True], ids=["alone", "beside a closed server"])
def test_no_command_works_on_an_old_database_put_back(lived_in: Program, running: bool) -> None:
    """Neither an import nor a backup nor a night: what was erased since would go on in them. Nothing is changed."""
    old = database(lived_in).read_bytes()
    add_people(lived_in, "bert", "cleo")
    database(lived_in).write_bytes(old)
    card = lived_in.folder / "card.json"
    card.write_bytes(make.to_json(make.v2()))
    if running:
        lived_in.start()
    for command in (("import", str(card), "--user", "ada"), ("import-data", str(card), "--user", "ada"),
                    ("backup",), ("night",)):  # fmt: skip
        refused = lived_in.run(*command)
        assert (refused.returncode, "restore --replay" in refused.stdout) == (2, True), (command, refused.stdout)
        assert "Nothing was" in refused.stdout
    if running:
        assert lived_in.get("/")[0] == 503
        assert lived_in.stop() == 0
    with sqlite3.connect(database(lived_in)) as rows:
        assert rows.execute("SELECT COUNT(*) FROM library_character").fetchone() == (0,)


def test_going_back_to_a_backup(lived_in: Program) -> None:
    """What came after it is gone, what was before is there; the report of it can be checked offline."""
    add_people(lived_in, "bert")
    listed = lived_in.run("restore", "list")
    assert listed.returncode == 0, listed.stdout
    (file,) = [line.split()[0] for line in listed.stdout.splitlines()]
    assert re.search(r" taken \d{4}-\d\d-\d\d \d\d:\d\d UTC ", listed.stdout)
    done = lived_in.run("restore", file)
    assert done.returncode == 0, done.stdout
    (report,) = backups(lived_in).glob("restore-*.json")
    signed = json.loads(report.read_bytes())
    assert signed["keys_of_ended"] == 0
    lived_in.start()
    key = lived_in.folder / "key.json"
    key.write_bytes(lived_in.get("/.well-known/mindstage-signing-key")[1])
    checked = lived_in.run("receipt", "verify", str(report), "--key", str(key))
    assert checked.returncode == 0, checked.stdout
    assert "Genuine: the report of a restore" in checked.stdout
    report.write_text(json.dumps(signed | {"entries_replayed": 7}))
    changed = lived_in.run("receipt", "verify", str(report), "--key", str(key))
    assert (changed.returncode, "was changed" in changed.stdout) == (1, True)
    assert signs_in(lived_in, "ada")
    assert not signs_in(lived_in, "bert")


@pytest.fixture(scope="module")
def of_another(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole backup of another instance."""
    other = Program(tmp_path_factory.mktemp("other") / "instance", CHEAP, forked=True).start()
    try:
        assert other.stop() == 0
    finally:
        other.kill()
    assert other.run("backup").returncode == 0
    return max(backups(other).glob("*.backup")).read_bytes()


@pytest.mark.parametrize("harm", ["cut", "changed", "foreign", "foreign, under a name that is known"])
def test_a_harmed_backup_is_refused_in_words(lived_in: Program, of_another: bytes, harm: str) -> None:
    """What broke, that nothing was changed, and what to do next; and then everything is as it was."""
    whole = max(backups(lived_in).glob("*.backup"))
    content = bytearray(whole.read_bytes())
    harmed = whole.with_name(f"{uuid.uuid4().hex}.backup") if harm == "foreign" else whole
    if harm == "changed":
        content[len(content) // 2] ^= 1
    kept = bytes(content)
    harmed.write_bytes(kept[: len(kept) // 2] if harm == "cut" else kept if harm == "changed" else of_another)
    before = database(lived_in).read_bytes()
    refused = lived_in.run("restore", harmed.name)
    assert refused.returncode == 1, refused.stdout
    broke = "There is no key for this backup" if harm == "foreign" else "was cut short or changed"
    assert broke in refused.stdout
    assert "Nothing was changed" in refused.stdout
    assert "`mindstage restore list`" in refused.stdout
    assert database(lived_in).read_bytes() == before
    lived_in.start()
    assert signs_in(lived_in, "ada")


def test_a_lost_keystore(lived_in: Program) -> None:
    """Refused with the way out; restored from the newest copy after the question was answered."""
    add_people(lived_in, "bert")
    keystore(lived_in).unlink()
    refused = lived_in.run("serve", "--port", "0")
    assert refused.returncode == 2
    assert "restore --keystore" in refused.stdout
    asked = lived_in.run("restore", "--keystore")
    assert asked.returncode == 1, asked.stdout
    assert not keystore(lived_in).exists()
    done = lived_in.run("restore", "--keystore", "--yes")
    assert done.returncode == 0, done.stdout
    lived_in.start()
    assert signs_in(lived_in, "ada")


def test_a_lost_database(lived_in: Program) -> None:
    for file in database(lived_in).parent.iterdir():
        file.unlink()
    refused = lived_in.run("serve", "--port", "0")
    assert refused.returncode == 2
    assert "restore list" in refused.stdout
    (file,) = backups(lived_in).glob("*.backup")
    assert lived_in.run("restore", str(file)).returncode == 0
    lived_in.start()
    assert signs_in(lived_in, "ada")


def test_a_lost_ledger(lived_in: Program) -> None:
    """Refused; `--new-ledger` opens again, and no backup of before opens after it."""
    end_something(lived_in)
    ledger(lived_in).unlink()
    refused = lived_in.run("serve", "--port", "0")
    assert refused.returncode == 2
    assert "--new-ledger" in refused.stdout
    done = lived_in.run("restore", "--new-ledger")
    assert done.returncode == 0, done.stdout
    assert b'"gap":1' in ledger(lived_in).read_bytes()
    (file,) = backups(lived_in).glob("*.backup")
    assert lived_in.run("restore", str(file)).returncode == 1
    lived_in.start()
    assert signs_in(lived_in, "ada")


def test_a_new_machine(lived_in: Program, tmp_path: Path) -> None:
    """The sheet, the escrow and the backups are all that is carried over; the old machine is shut out."""
    other = Program(tmp_path / "other", CHEAP, forked=True)
    sheet = lived_in.run("keys", "sheet")
    assert sheet.returncode == 0
    shutil.copytree(lived_in.folder / "keys-escrow", other.folder / "keys-escrow")
    typed = other.run("keys", "restore", typed=sheet.stdout)
    assert typed.returncode == 0, typed.stdout
    shutil.copytree(backups(lived_in), backups(other))
    done = other.run("restore", "--machine")
    assert done.returncode == 0, done.stdout
    try:
        other.start()
        assert signs_in(other, "ada")
        assert other.stop() == 0
    finally:
        other.kill()
    shutil.rmtree(lived_in.folder / "keys-escrow")
    shutil.copytree(other.folder / "keys-escrow", lived_in.folder / "keys-escrow")
    refused = lived_in.run("serve", "--port", "0")
    assert refused.returncode == 2, refused.stdout


@pytest.mark.parametrize("arguments", [("restore", "nothing"), ("restore", "--machine"), ("restore",)])
def test_what_makes_no_sense_is_refused_in_a_sentence(lived_in: Program, arguments: tuple[str, ...]) -> None:
    refused = lived_in.run(*arguments)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stdout
