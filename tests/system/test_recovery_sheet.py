"""The recovery sheet as people use it: offered at the first start, made, and the way back once the root key is lost."""

from __future__ import annotations

import os
import pty
import re
import select
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from people import PASSPHRASE
from system.program import READY_SECONDS, Program
from system.visitor import Visitor

pytestmark = pytest.mark.system

LINE = re.compile(r"^\s*(\d):\s+((?:[0-9a-f]{4} ?){3})$", re.MULTILINE)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """An instance with an account, and without any sheet; stopped. What it said at its first start is in `said()`."""
    made = Program(tmp_path_factory.mktemp("sheet") / "instance", forked=True).start()
    try:
        Visitor(made).sign_up("ada")
        assert made.stop() == 0
        yield made
    finally:
        made.kill()


def typed_by_hand(program: Program, lines: list[str]) -> str:
    """The same at a terminal; what it showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mindstage", "keys", "restore"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=program._environ(), cwd=program.folder
    ) as process:
        os.close(theirs)
        os.write(ours, "".join(f"{line}\n" for line in lines).encode())
        shown = b""
        try:
            while select.select([ours], [], [], READY_SECONDS)[0]:
                shown += os.read(ours, 4096)
            process.kill()
        except OSError:  # the other end is closed
            process.wait(READY_SECONDS)
    os.close(ours)
    assert process.returncode == 0, shown
    return shown.decode()


def says(program: Program, name: str) -> str:
    """What the doctor says of one thing."""
    return next(line for line in program.run("doctor").stdout.splitlines() if f" {name}: " in line)


def test_offered_made_and_the_way_back(program: Program) -> None:
    """From the first start to a lost root key that was typed again: each step as the documents tell it."""
    assert "mindstage keys sheet" in program.said()
    assert says(program, "recovery sheet").startswith("warning")
    key = program.keys / "root.key"
    digits = key.read_text().split()[1]

    for inside in (program.data, program.keys, program.keys.with_name("keys-escrow")):
        refused = program.run("keys", "sheet", str(inside / "sheet.txt"))
        assert refused.returncode == 2, refused.stdout
        assert "does not belong" in refused.stdout
        assert not (inside / "sheet.txt").exists()
    assert says(program, "recovery sheet").startswith("warning")

    made = {}
    for name in ("sheet.txt", "sheet.html"):
        done = program.run("keys", "sheet", str(program.folder / name))
        assert done.returncode == 0, done.stdout
        assert digits[:8] not in done.stdout.replace(" ", "")
        assert stat.S_IMODE((program.folder / name).stat().st_mode) == 0o600
        made[name] = (program.folder / name).read_text()
    assert says(program, "recovery sheet").startswith("ok")
    lines = [found[1].strip() for found in LINE.findall(made["sheet.txt"])]
    assert "".join(line.replace(" ", "")[:8] for line in lines) == digits
    assert all(line in made["sheet.html"] for line in lines)
    assert "src=" not in made["sheet.html"]
    assert program.run("keys", "sheet", str(program.folder / "sheet.txt")).returncode == 2, "never written over"
    assert digits not in "".join(file.read_text("latin-1") for file in program.keys.iterdir() if file != key)

    present = program.run("keys", "restore", typed=made["sheet.txt"])
    assert present.returncode == 2
    assert "already" in present.stdout

    key.unlink()
    refused = program.run("serve", "--port", "0")
    assert refused.returncode == 2
    assert "mindstage keys restore" in refused.stdout

    one_up = str.maketrans("0123456789abcdef", "123456789abcdef0")
    wrong = made["sheet.txt"].replace(lines[4], lines[4].translate(one_up))
    mistyped = program.run("keys", "restore", typed=wrong)
    assert mistyped.returncode == 1
    assert mistyped.stdout.startswith("Line 5 ")
    assert not key.exists()

    shown = typed_by_hand(program, [*lines[:2], lines[3], lines[2].upper(), *lines[3:]])
    assert "Line 3 is not as it stands on the sheet" in shown
    assert key.read_text().split()[1] == digits
    assert stat.S_IMODE(key.stat().st_mode) == 0o600

    program.start()
    assert program.said().count("mindstage keys sheet") == 1, "the first start alone offers it"
    form = {"handle": "ada", "passphrase": PASSPHRASE}
    assert Visitor(program).post("/session/new/", form).status == 302
    assert program.stop() == 0


def test_the_sheet_of_another_instance_is_refused(program: Program, tmp_path: Path) -> None:
    """Its lines are whole, and yet it opens nothing here: no key is written."""
    from mindstage.vault.recovery_sheet import sheet_lines

    foreign = "\n".join(f"{at}: {line}" for at, line in enumerate(sheet_lines(os.urandom(32)), start=1))
    key = program.keys / "root.key"
    aside = key.rename(tmp_path / "root.key")
    try:
        refused = program.run("keys", "restore", typed=foreign)
        assert refused.returncode == 2
        assert "another instance" in refused.stdout
        assert not key.exists()
    finally:
        aside.rename(key)


def test_a_key_that_cannot_be_tried_is_not_asked_for(tmp_path: Path) -> None:
    """Without epoch file and escrow nobody could say whether it is the right one; nor is there a sheet of nothing."""
    program = Program(tmp_path / "instance")
    nothing = program.run("keys", "sheet")
    assert nothing.returncode == 2
    assert "mindstage serve" in nothing.stdout
    refused = program.run("keys", "restore", typed="")
    assert refused.returncode == 2
    assert "Put the escrow in its place first" in refused.stdout
    assert not program.keys.exists()
