"""Folders that cannot be used are found before anything is made."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import OperationalError

from children import fork_and_wait
from mindstage.config.configuration import Configuration, ConfigurationMistake, load
from mindstage.ops import schema, starting
from mindstage.ops.doctor import examine
from mindstage.ops.mistakes import StartMistake
from mindstage.ops.starting import make_folders, refuse_unwritable

NOBODY = 65534


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter: those of pytest are for their owner alone."""
    folder = Path(tempfile.mkdtemp(prefix="mindstage-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(deed: Callable[[], None]) -> str:
    """What the mistake says when an account without rights does it. As root in a fork; else as who runs the tests."""
    if os.geteuid() != 0:
        with pytest.raises((StartMistake, ConfigurationMistake)) as refused:
            deed()
        return str(refused.value)
    read, write = os.pipe()

    def refused_to_nobody() -> int:
        os.setuid(NOBODY)
        try:
            deed()
        except (StartMistake, ConfigurationMistake) as mistake:
            os.write(write, str(mistake).encode())
        return 0

    fork_and_wait(refused_to_nobody)
    os.close(write)
    with os.fdopen(read) as said:
        return said.read()


def test_a_folder_that_may_not_be_written_to(open_folder: Path) -> None:
    """A data folder below one that belongs to somebody else is refused."""
    instance = Configuration(open_folder / "data", open_folder / "keys")
    open_folder.chmod(0o555)
    assert "cannot be written to" in as_nobody(lambda: refuse_unwritable(instance))


def test_a_folder_that_may_not_be_looked_into(open_folder: Path) -> None:
    """Also one that this account cannot even see."""
    (open_folder / "closed").mkdir(mode=0o000)
    instance = Configuration(open_folder / "closed" / "data", open_folder / "keys")
    assert "cannot be written to" in as_nobody(lambda: refuse_unwritable(instance))


def test_settings_that_may_not_be_looked_for(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started as another user with this one's home: a sentence, as for every mistake of the set-up."""
    (open_folder / "closed").mkdir(mode=0o000)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(open_folder / "closed"))
    assert "cannot be looked for" in as_nobody(lambda: load({}))
    named = {"MINDSTAGE_CONFIG": str(open_folder / "closed" / "mindstage.toml")}
    assert "cannot be looked for" in as_nobody(lambda: load(named))


@pytest.mark.parametrize("place", ["data_dir", "keys_dir", "escrow"])
def test_the_doctor_finds_what_it_may_not_look_at(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A folder that is closed to it is a finding; it does not keep the doctor from the rest."""
    (open_folder / "closed").mkdir(mode=0o000)
    closed = open_folder / "closed" / place
    places = {"data_dir": open_folder / "data", "keys_dir": open_folder / "keys", "port": 0}
    instance = Configuration(**places | {place: closed if place.endswith("dir") else str(closed)})

    # The program itself may lie where an account without rights may not look either: what it asks is imported before.
    examine(instance)
    known = schema.known_migrations()
    monkeypatch.setattr(schema, "known_migrations", lambda: known)

    def ask() -> None:
        raise StartMistake("; ".join(f"{found.level} {found.name}: {found.sentence}" for found in examine(instance)))

    said = as_nobody(ask)
    assert f"{closed}" in said
    assert "core dumps" in said


@pytest.mark.parametrize("file", ["mindstage.lock", "database/mindstage.sqlite3", "ledger/ledger.jsonl"])
@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_a_file_that_belongs_to_somebody_else(open_folder: Path, file: str, mode: int) -> None:
    """A file that another account left behind, or that may only be read, is found before anything is made."""
    path = open_folder / "data" / file
    path.parent.mkdir(parents=True)
    for folder in (open_folder, open_folder / "data", path.parent):
        folder.chmod(0o777)
    path.touch()
    path.chmod(mode)
    instance = Configuration(open_folder / "data", open_folder / "keys")
    assert f"{path} cannot be read and written" in as_nobody(lambda: refuse_unwritable(instance))


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (OperationalError("database is locked"), "is locked by another program"),
        (sqlite3.OperationalError("database or disk is full"), "or its disk is full"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/a file"), "/data/a file: No space left on device"),
    ],
)
def test_a_disk_or_database_that_takes_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception, says: str
) -> None:
    """At whatever step of a start it happens, it is one sentence, and the port is free again."""

    def fail(_: object) -> None:
        raise trouble

    monkeypatch.setattr(starting, "_prepare_data", fail)
    bound = socket.socket()
    monkeypatch.setattr(starting, "bind", lambda *_: bound)
    monkeypatch.setattr(starting, "forbid_core_dumps", lambda: None)
    with pytest.raises(StartMistake) as refused:
        starting.prepare(Configuration(tmp_path / "data", tmp_path / "keys", port=0))
    assert says in str(refused.value)
    assert bound.fileno() == -1


def test_folders_are_made_private(open_folder: Path) -> None:
    """Folders that were open before are closed."""
    instance = Configuration(open_folder / "data", open_folder / "keys")
    instance.data_dir.mkdir(mode=0o755)
    refuse_unwritable(instance)
    make_folders(instance)
    assert {path.stat().st_mode & 0o777 for path in open_folder.rglob("*")} == {0o700}
