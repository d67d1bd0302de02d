"""Back up: the main database under a key of its own, then a copy of the keystore. docs/subsystems/restore.md

Order: 1 the key, in the keystore; 2 a snapshot of the database; 3 the file, sealed, in place; 4 a keystore copy, read
back; 5 older files whose keys are gone are deleted. A backup counts as complete after 4. The keystore is never in it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from mindstage.kit.file_lock import file_lock
from mindstage.ledger.book import LedgerBroken
from mindstage.ops.instance import Instance
from mindstage.ops.servers import ServerRefused, dump
from mindstage.vault import copies
from mindstage.vault.backup_keys import KEPT, DeadAtBirth, backup_ends, make_backup_key
from mindstage.vault.clocks import eager_date
from mindstage.vault.files import make_private_folder, sync_folder
from mindstage.vault.sealed_files import CHUNK, seal_chunks

ENDING = ".backup"
LOCK = "backup.lock"
"""Of two at once the second would take the first one's snapshot for what a crash has left."""
_SCRATCH = "taking-"


class BackupFailed(Exception):
    """Nothing usable was written. Its text is one sentence."""


class BackupUnderWay(BackupFailed):
    """Another one is being taken, and goes on."""


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup file; its name is its identifier."""

    path: Path

    @property
    def id(self) -> uuid.UUID:
        return uuid.UUID(hex=self.path.name.removesuffix(ENDING))


def back_up(instance: Instance, *, wait: bool = False) -> Backup:
    """Take a backup; while another is being taken, `wait` for its end, or raise BackupUnderWay.

    Raises BackupFailed, with all as it was.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock(instance.keys_dir / LOCK, wait=wait))
        except BlockingIOError:
            raise BackupUnderWay("A backup is being taken already, perhaps by the night; it goes on.") from None
        return _back_up(instance)


def _back_up(instance: Instance) -> Backup:
    folder = instance.backups_dir
    try:
        make_private_folder(folder)
        clear_leftovers(folder)
        ident, key = _make_key()
        path = folder / f"{ident.hex}{ENDING}"
        with tempfile.TemporaryDirectory(dir=folder, prefix=_SCRATCH) as scratch:
            snapshot = _snapshot(instance, Path(scratch))
            _write_whole(path, seal_chunks(_read(snapshot), key=key, place=place_of(ident)))
        copies.write_copy()
        prune(folder)
    except LedgerBroken:
        raise BackupFailed(
            "The backup is not complete: the ledger of erasures is gone, so no copy of the keystore could be made. "
            "Stop Mindstage and start it again: it says what to do."
        ) from None
    except copies.NoCopy:
        raise BackupFailed(
            "The backup is not complete: the copy of the keystore that belongs to it does not open. Earlier copies are "
            "untouched; run `mindstage doctor`."
        ) from None
    except ServerRefused as refused:
        raise BackupFailed(f"The backup could not be taken: {refused} Earlier backups are untouched.") from None
    except (OSError, sqlite3.Error):
        raise BackupFailed(
            f"The backup could not be taken: {folder} cannot be written to, or its disk is full. Earlier backups are "
            "untouched; make room and take it again."
        ) from None
    return Backup(path)


def _make_key() -> tuple[uuid.UUID, bytes]:
    try:
        return make_backup_key()
    except DeadAtBirth as dead:
        copies.write_copy()  # the keystore's own copies do not wait for a date
        raise BackupFailed(
            f"No backup was taken: the instance's own date lies {dead.days} days behind the clock, so the backup's key "
            "would have ended already. If the clock is right, run `mindstage night --confirm-date`, then take it again."
        ) from None


def list_backups(folder: Path, *, alive: Mapping[uuid.UUID, date] | None = None) -> list[Backup]:
    """The backups that can still be opened, the newest first: by the instance's own day, for a clock may be wrong.

    `alive`: which these are, and until when, where the keystore is not to be asked once more.
    """
    alive = backup_ends() if alive is None else alive
    found = [backup for backup in _backups(folder) if backup.id in alive]
    return sorted(found, key=lambda backup: (alive[backup.id], backup.id), reverse=True)


def prune(folder: Path) -> int:
    """Delete the files whose keys have ended: they are noise. How many there were.

    A young one without a key is kept: its key may come back, with a keystore that is restored once more.
    """
    alive, oldest = backup_ends(), eager_date() - KEPT
    dead = [backup for backup in _backups(folder) if backup.id not in alive and _taken(backup) <= oldest]
    for backup in dead:
        backup.path.unlink()
    return len(dead)


def clear_leftovers(folder: Path) -> None:
    """Remove what a backup that was cut off has left: a snapshot that no key of its own seals."""
    for scratch in folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(scratch, ignore_errors=True)
    for draft in folder.glob(f"*{ENDING}.new"):
        draft.unlink(missing_ok=True)


def _backups(folder: Path) -> Iterator[Backup]:
    for path in folder.glob(f"*{ENDING}"):
        try:
            backup = Backup(path)
            backup.id  # noqa: B018 - somebody else's file has no identifier for a name
        except ValueError:
            continue
        yield backup


def _taken(backup: Backup) -> date:
    """The day on which a backup was taken, which its identifier (UUIDv7) tells."""
    return datetime.fromtimestamp((backup.id.int >> 80) / 1000, UTC).date()


def place_of(backup: uuid.UUID) -> bytes:
    """What a backup's chunks are bound to."""
    return b"backup|" + backup.bytes


def _snapshot(instance: Instance, folder: Path) -> Path:
    """A consistent copy of the main database: written anew by SQLite, or by pg_dump."""
    path = folder / "snapshot"
    if instance.database_url:
        dump(instance.database_url, path)
    else:
        copy_file(instance.database_file, path)
    return path


def copy_file(database: Path, to: Path) -> None:
    """A copy of one moment of an SQLite file, while others write. Raises sqlite3.Error.

    SQLite's online backup would begin anew whenever somebody writes, and on a busy instance never end. It would also
    copy pages as they lie, with what was deleted and still stands between two entries; this writes rows only.
    """
    source = sqlite3.connect(database, isolation_level=None)
    try:
        source.execute("VACUUM INTO ?", (str(to),))
    finally:
        source.close()


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            yield part


def _write_whole(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file under another name, then rename it. Whatever fails, no half of it stays on a full disk."""
    draft = path.with_name(f"{path.name}.new")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
