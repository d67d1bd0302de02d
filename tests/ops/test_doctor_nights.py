"""What the doctor says of nights, copies, escrow and promises: each alarm rings, and a sound instance rings none."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from mindstage.config.configuration import Configuration
from mindstage.kit import clock, ids
from mindstage.ops import night_checks
from mindstage.ops.findings import Finding

EPOCH = 4
KEYSTORE = "CREATE TABLE vault_keystore (epoch INT, dirty BOOL, slow_date DATE, rotated_on DATE)"
NIGHT = (
    "CREATE TABLE ops_night (ended_on DATE, backed_up_on DATE, backup_problem TEXT, ending_problem TEXT,"
    " epoch_problem TEXT, epoch_waits_since DATE)"
)


@pytest.fixture
def instance(tmp_path: Path) -> Configuration:
    """Files as a sound instance leaves them after a night, without any program that runs."""
    made = Configuration(tmp_path / "data", tmp_path / "keys")
    for folder in (made.database_file.parent, made.keystore_file.parent, made.keys_dir, made.escrow_dir):
        folder.mkdir(parents=True)
    today = clock.today()
    write(made.keystore_file, KEYSTORE)
    write(made.keystore_file, "INSERT INTO vault_keystore VALUES (?, 0, ?, ?)", EPOCH, today, today)
    write(made.database_file, NIGHT)
    write(made.database_file, "INSERT INTO ops_night VALUES (?, ?, '', '', '', NULL)", today, today)
    for folder in (made.backups_dir, made.escrow_dir):
        (folder / "keystore").mkdir(parents=True)
        (folder / "keystore" / f"{EPOCH:08}-{9:012}-{ids.sequential().hex}.copy").touch()
    return made


def write(file: Path, sql: str, *values: object) -> None:
    given = [value.isoformat() if isinstance(value, date) else value for value in values]
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(sql, given)
    connection.close()


def levels(findings: Iterator[Finding]) -> dict[str, str]:
    return {finding.name: finding.level for finding in findings}


def test_a_sound_instance_rings_no_alarm(instance: Configuration) -> None:
    """Beside the disk that escrow and keys share here, everything is in order."""
    assert levels(night_checks.check_nights(instance)) == {"date": "ok", "backup": "ok", "epoch": "ok"}
    assert levels(night_checks.check_keystore_copies(instance)) == {"keystore's copy": "ok"}
    assert levels(night_checks.check_retention(instance)) == {"retention": "ok"}
    assert levels(night_checks.check_escrow(instance)) == {"escrow": "warning"}


@pytest.mark.parametrize(("days", "level"), [(2, "ok"), (3, "mistake"), (30, "mistake")])
def test_a_date_that_lags(instance: Configuration, days: int, level: str) -> None:
    """Up to two days are made up by themselves; more waits for the operator, who is told the command."""
    slow = clock.today() - timedelta(days=days)
    write(instance.keystore_file, "UPDATE vault_keystore SET slow_date = ?", slow)
    found = next(night_checks.check_nights(instance))
    assert (found.name, found.level) == ("date", level)
    assert ("--confirm-date" in found.next_step) == (level == "mistake")
    assert ("no backup can be taken" in found.sentence) == (days >= 30)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("backup_problem = 'BackupFailed'", "backup"),
        ("ending_problem = 'OperationalError'", "endings"),
        ("epoch_problem = 'EscrowAway', epoch_waits_since = '2026-01-01'", "epoch"),
    ],
)
def test_what_a_night_could_not_do(instance: Configuration, change: str, name: str) -> None:
    """A step that failed is an alarm until it works again."""
    write(instance.database_file, f"UPDATE ops_night SET {change}")
    assert levels(night_checks.check_nights(instance))[name] == "mistake"


def test_an_erasure_that_found_what_should_be_gone(instance: Configuration) -> None:
    """One thing or text is enough: there is no receipt until there is none. A database of before that table is fine."""
    assert levels(night_checks.check_erasures(instance)) == {"erasures": "ok"}
    write(instance.database_file, "CREATE TABLE rights_erasurerequest (id INT, findings INT)")
    write(instance.database_file, "INSERT INTO rights_erasurerequest VALUES (1, 0), (2, 0), (3, 0)")
    assert levels(night_checks.check_erasures(instance)) == {"erasures": "ok"}
    write(instance.database_file, "UPDATE rights_erasurerequest SET findings = 2 WHERE id < 3")
    (found,) = night_checks.check_erasures(instance)
    assert (found.name, found.level) == ("erasures", "mistake")
    assert found.sentence.startswith("2 not complete: 4 things")
    assert "mindstage night" in found.next_step


def test_an_epoch_that_stays_dirty(instance: Configuration) -> None:
    """Keys died and no night has turned the epoch for days."""
    write(instance.keystore_file, "UPDATE vault_keystore SET dirty = 1")
    assert levels(night_checks.check_nights(instance))["epoch"] == "ok"
    with clock.moved(timedelta(days=3)):
        found = levels(night_checks.check_nights(instance))
    assert (found["epoch"], found["nights"]) == ("mistake", "warning")


def test_a_keystore_without_a_copy(instance: Configuration) -> None:
    """None, only one of a former epoch, or an old one: each is said."""
    with clock.moved(timedelta(days=2)):
        assert levels(night_checks.check_keystore_copies(instance)) == {"keystore's copy": "warning"}
    for file in (instance.escrow_dir / "keystore").iterdir():
        file.unlink()
    assert levels(night_checks.check_keystore_copies(instance)) == {"keystore's copy": "warning"}
    for file in (instance.backups_dir / "keystore").iterdir():
        file.rename(file.with_name(f"{EPOCH - 1:08}{file.name[8:]}"))
    assert levels(night_checks.check_keystore_copies(instance)) == {"keystore's copy": "mistake"}


def test_an_escrow_that_is_away_or_lies_with_the_backups(instance: Configuration) -> None:
    """Away is an alarm; with the backups or the data too, for whoever has both needs only the root key."""
    for folder in (instance.backups_dir, instance.data_dir):
        beside = replace(instance, escrow=str(folder / "escrow"))
        beside.escrow_dir.mkdir()
        assert levels(night_checks.check_escrow(beside)) == {"escrow": "mistake"}
    gone = replace(instance, escrow=str(instance.escrow_dir / "unmounted"))
    assert levels(night_checks.check_escrow(gone)) == {"escrow": "ok"}
    (instance.keys_dir / night_checks.ESCROW_MADE).touch()
    assert levels(night_checks.check_escrow(gone)) == {"escrow": "mistake"}


def test_an_escrow_on_a_disk_of_its_own(instance: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another device number is another disk."""
    monkeypatch.setattr(night_checks, "_disk", lambda folder: hash(folder))
    assert levels(night_checks.check_escrow(instance)) == {"escrow": "ok"}


@pytest.mark.parametrize(("kind", "level"), [("ext4", "ok"), ("btrfs", "warning"), ("zfs", "warning")])
def test_file_systems_that_keep_snapshots(instance: Configuration, tmp_path: Path, kind: str, level: str) -> None:
    """The mount that a folder lies on decides, not the root's."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        f"36 22 0:31 / {instance.keys_dir} rw,relatime shared:2 - {kind} /dev/sdb rw\n"
    )
    assert levels(night_checks.check_snapshots(instance, mounts)) == {"snapshots": level}


@pytest.mark.parametrize(
    ("table", "row", "name"),
    [
        ("gateway_sending (last_on)", (365, 366), "sending"),
        ("accounts_accesscount (day)", (365, 366), "access_count"),
    ],
)
def test_a_record_older_than_its_promise(instance: Configuration, table: str, row: tuple[int, int], name: str) -> None:
    """On the last day of the promise all is well; a day later it is an alarm."""
    made, column = table.split(" ")
    write(instance.database_file, f"CREATE TABLE {made} {column}")
    add: Callable[[int], None] = lambda days: write(  # noqa: E731
        instance.database_file, f"INSERT INTO {made} VALUES (?)", clock.today() - timedelta(days=days)
    )
    add(row[0])
    assert levels(night_checks.check_retention(instance)) == {"retention": "ok"}
    add(row[1])
    assert levels(night_checks.check_retention(instance)) == {f"retention of {name}": "mistake"}


def test_a_backup_whose_key_lives_too_long(instance: Configuration) -> None:
    """By the later of both dates, as keys of backups end."""
    write(instance.keystore_file, "CREATE TABLE vault_backupkey (id TEXT, made_on DATE)")
    made = clock.today() - timedelta(days=31)
    write(instance.keystore_file, "INSERT INTO vault_backupkey VALUES (?, ?)", uuid.uuid4().hex, made)
    assert levels(night_checks.check_retention(instance)) == {"retention of backup": "mistake"}


def test_looking_changes_no_byte(instance: Configuration) -> None:
    """The checks read the files as they are."""
    before = {path: path.read_bytes() for path in sorted(instance.data_dir.rglob("*")) if path.is_file()}
    for check in (night_checks.check_nights, night_checks.check_retention, night_checks.check_keystore_copies):
        list(check(instance))
    after = {path: path.read_bytes() for path in sorted(instance.data_dir.rglob("*")) if path.is_file()}
    assert before == after
