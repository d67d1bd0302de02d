"""The same on PostgreSQL, database and keystore both. Needs a server (TEST_POSTGRES) and its programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mindstage.ops.servers import blank_unknown_settings
from people import PASSPHRASE
from postgres_server import throwaway_databases
from system.program import CHEAP, Program
from system.visitor import Visitor

URL = os.environ.get("TEST_POSTGRES", "")
"""postgresql://user:password@host:port, with the right to make databases."""

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not URL or not shutil.which("psql"), reason="no PostgreSQL server (TEST_POSTGRES) or no psql"),
]


def on_server(folder: Path, urls: tuple[str, str]) -> Program:
    return Program(folder, CHEAP | {"MINDSTAGE_DATABASE_URL": urls[0], "MINDSTAGE_KEYSTORE_URL": urls[1]})


@pytest.fixture
def urls() -> Iterator[tuple[str, str]]:
    with throwaway_databases(URL) as pair:
        yield pair


@pytest.fixture
def program(tmp_path: Path, urls: tuple[str, str]) -> Iterator[Program]:
    program = on_server(tmp_path / "instance", urls)
    yield program
    program.kill()


def empty(url: str) -> None:
    """What is left of a database whose server was lost and set up again."""
    ask(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def ask(url: str, sql: str) -> str:
    command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", f"--dbname={url}", f"--command={sql}"]
    said = subprocess.run(command, check=True, timeout=30, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return said.stdout


def sign_up(program: Program, *handles: str) -> None:
    program.start()
    for handle in handles:
        Visitor(program).sign_up(handle)
    assert program.stop() == 0


def who_signs_in(program: Program, *handles: str) -> list[str]:
    form = {"passphrase": PASSPHRASE}
    return [h for h in handles if Visitor(program).post("/session/new/", {"handle": h, **form}).status == 302]


def test_every_restore_on_a_server(program: Program, urls: tuple[str, str], tmp_path: Path) -> None:
    """A database goes back to a backup, twice; a lost keystore comes from its copy; a whole machine is set up anew.

    One journey, since each start of the program takes seconds.
    """
    sign_up(program, "ada")
    taken = program.run("backup")
    assert taken.returncode == 0, taken.stdout
    file = next(line for line in taken.stdout.splitlines() if "opens until" in line).split()[0]
    sign_up(program, "bert")
    for _ in range(2):
        done = program.run("restore", file)
        assert done.returncode == 0, done.stdout
    taken = program.run("backup")  # of what was put back: the schema is another one now
    assert taken.returncode == 0, taken.stdout

    empty(urls[1])
    refused = program.run("serve", "--port", "0")
    assert refused.returncode == 2
    assert "restore --keystore" in refused.stdout
    done = program.run("restore", "--keystore", "--yes")
    assert done.returncode == 0, done.stdout
    program.start()
    assert who_signs_in(program, "ada", "bert") == ["ada"]
    assert program.stop() == 0
    assert "restoring" not in ask(urls[0], "SELECT nspname FROM pg_namespace")
    assert "restoring" not in ask(urls[1], "SELECT nspname FROM pg_namespace")
    assert not list(program.data.glob("restoring-*"))

    with throwaway_databases(URL) as new:
        other = on_server(tmp_path / "other", new)
        (other.folder / "keys").mkdir(parents=True, mode=0o700)
        shutil.copy(program.keys / "root.key", other.keys)
        for name in ("keys-escrow", "data-backups"):
            shutil.copytree(program.folder / name, other.folder / name)
        done = other.run("restore", "--machine")
        assert done.returncode == 0, done.stdout
        try:
            other.start()
            assert who_signs_in(other, "ada", "bert") == ["ada"]
            assert other.stop() == 0
        finally:
            other.kill()
        shutil.rmtree(program.folder / "keys-escrow")
        shutil.copytree(other.folder / "keys-escrow", program.folder / "keys-escrow")
        refused = program.run("serve", "--port", "0")
        assert refused.returncode == 2, refused.stdout


def test_what_a_newer_program_sets_is_left_out(urls: tuple[str, str], tmp_path: Path) -> None:
    """A setting that the server does not have would end the restore; those that it has stay, and nothing moves."""
    head = b"SET statement_timeout = 0;\nSET no_such_setting = 0;\nSET client_encoding = 'UTF8';\n"
    script = tmp_path / "script.sql"
    script.write_bytes(head + b"SELECT 1;\n")
    blank_unknown_settings(script, urls[0])
    unknown = b"SET no_such_setting = 0;"
    assert script.read_bytes() == head.replace(unknown, b" " * len(unknown)) + b"SELECT 1;\n"
