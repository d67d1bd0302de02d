"""`mindstage restore list` only looks: the list is the vault's, no byte changes, and nothing has to be open for it."""

from __future__ import annotations

import os
import sqlite3
from argparse import Namespace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from mindstage.config.configuration import Configuration
from mindstage.kit import clock, ids
from mindstage.ops.backup import ENDING, list_backups
from mindstage.ops.backup_list import read_backup_ends, read_backups
from mindstage.ops.commands import restore
from mindstage.ops.mistakes import StartMistake
from mindstage.ops.starting import take_lock
from mindstage.vault.backup_keys import backup_ends, make_backup_key
from mindstage.vault.clocks import turn_night

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
]
LIST = Namespace(file="list", replay=False, keystore=False, new_ledger=False, machine=False, yes=False)


@pytest.fixture
def read_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The databases of tests may lie in memory, where no file can be read beside them."""

    def read(_: object, alias: str, sql: str) -> list[tuple[object, ...]]:
        with connections[alias].cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    monkeypatch.setattr("mindstage.ops.backup_list.read_rows", read)


def make_file() -> Path:
    ident, _ = make_backup_key()
    file: Path = settings.MINDSTAGE.backups_dir / f"{ident.hex}{ENDING}"
    file.touch()
    return file


@pytest.mark.usefixtures("read_directly")
def test_it_lists_what_opens() -> None:
    """The same, in the same order, as the vault says; by the slow date as by the wall's, whichever is later."""
    files = [make_file(), make_file()]
    (settings.MINDSTAGE.backups_dir / f"{ids.sequential().hex}{ENDING}").touch()  # of another instance
    assert read_backup_ends(settings.MINDSTAGE) == backup_ends()
    assert [one.path for one, _ in read_backups(settings.MINDSTAGE)] == files[::-1]
    assert [one.path for one in list_backups(settings.MINDSTAGE.backups_dir)] == files[::-1]
    with clock.moved(timedelta(days=30)):
        assert read_backups(settings.MINDSTAGE) == []
    for _ in range(30):
        turn_night()
    assert read_backups(settings.MINDSTAGE) == []


def test_it_needs_no_instance_that_is_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is made where nothing is; a missing keystore is said; a folder that is held is no hindrance."""
    instance = Configuration(tmp_path / "data", tmp_path / "keys")
    with pytest.raises(StartMistake, match="keystore is missing"):
        restore.run(LIST, instance)
    assert not list(tmp_path.iterdir())
    instance.data_dir.mkdir()
    held = take_lock(instance.data_dir)
    instance.keystore_file.parent.mkdir()
    write_keystore(instance.keystore_file)
    before = instance.keystore_file.read_bytes()
    assert restore.run(LIST, instance) == 0
    assert "No backup in " in capsys.readouterr().out
    assert instance.keystore_file.read_bytes() == before
    assert not instance.keys_dir.exists()
    os.close(held)


def write_keystore(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE django_migrations (app TEXT)")
        connection.execute("INSERT INTO django_migrations VALUES ('vault')")
        connection.execute("CREATE TABLE vault_keystore (slow_date DATE)")
        connection.execute("CREATE TABLE vault_backupkey (id TEXT, destroy_on DATE)")
    connection.close()
