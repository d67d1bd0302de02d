"""Put things back without bringing anybody back: staged, replayed, then one swap, then the start-up check.

Every function here runs with the server stopped and the data folder's lock held.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from django.conf import settings
from django.db import connections, transaction

from mindstage.datamap.holdings import Cleared, holdings
from mindstage.ledger import book
from mindstage.ledger.book import Chain
from mindstage.ops.backup import Backup, place_of
from mindstage.ops.schema import bring_up_to_date
from mindstage.vault import copies, rotation
from mindstage.vault.backup_keys import backup_key
from mindstage.vault.clocks import slow_date
from mindstage.vault.copies import KeystoreCopy, from_json
from mindstage.vault.ending import HandleOf, apply_to_database, apply_to_keystore, pin_ledger
from mindstage.vault.epoch_file import write_epoch_file
from mindstage.vault.escrow import read_escrow
from mindstage.vault.keyring import epoch_keys
from mindstage.vault.keys import KeyGone, close_vault
from mindstage.vault.marks import database_mark, keystore_state
from mindstage.vault.models import Keystore
from mindstage.vault.root_key import read_root_key
from mindstage.vault.sealed_files import open_chunks
from mindstage.vault.sealing import Unreadable
from mindstage.vault.start_check import Gate, check_start, finish_start


class RestoreRefused(Exception):
    """Nothing was changed. Its text is one sentence that says what to do."""


@dataclass(slots=True)
class Report:
    """What a restore did, for the operator and the log."""

    what: str
    replayed: int = 0
    cleared: list[Cleared] = field(default_factory=list)
    rearmed: int = 0
    gate: Gate | None = None


def restore_database(backup: Backup, *, handle_of: HandleOf) -> Report:
    """Open a backup beside the live database, replay all that was ended since, re-arm running clocks, swap."""
    chain = _ledger()
    newest = max(database_mark().generation, keystore_state().database_generation)
    staged = _stage_database(backup)
    report = Report(f"the database of backup {backup.id}")
    with _database_at(staged):
        bring_up_to_date()
        before = database_mark().ledger_length
        report.cleared = apply_to_database(chain)
        report.replayed = len(chain.entries) - before
        report.rearmed = rearm_clocks(slow_date())
        _raise_generation(newest, chain)
    _swap(staged, settings.MINDSTAGE.database_file)
    report.gate = check_start(handle_of=handle_of)
    return report


def restore_keystore(path: Path, copy: KeystoreCopy, *, handle_of: HandleOf) -> Report:
    """Put a keystore copy in place of a lost or damaged keystore; keys younger than the copy are lost."""
    chain = book.read_book(settings.MINDSTAGE.ledger_dir) or copy.chain
    if not chain.extends(copy.chain.head):
        raise RestoreRefused("This copy of the keystore knows another ledger than the one that lies here.")
    live = _live_state()
    newest = max(live.generation if live else 0, database_mark().keystore_generation, copy.state["generation"])
    staged = settings.MINDSTAGE.keystore_file.with_name("restoring.sqlite3")
    staged.unlink(missing_ok=True)
    with _keystore_at(staged):
        bring_up_to_date()
        copies.load_tables(copy)
        fields = {name: from_json(value) for name, value in copy.state.items()}
        state = Keystore(**fields)
        state.generation, state.dirty = newest + 1, True
        state.database_generation = database_mark().generation
        state.forgotten += 1
        if live is not None:
            state.slow_date = live.slow_date  # the slow date never leaps
        state.save(using="keystore", force_insert=True)
    _swap(staged, settings.MINDSTAGE.keystore_file)
    close_vault()
    report = Report(f"the keystore of copy {path.name}")
    report.gate = check_start(handle_of=handle_of)
    return report


def replay(*, handle_of: HandleOf) -> Report:
    """After an old file was copied into place: bring both databases up to the ledger and to one age, then open."""
    chain = _ledger()
    before = database_mark().ledger_length
    apply_to_keystore(chain, handle_of=handle_of)
    cleared = apply_to_database(chain)
    with transaction.atomic():
        _raise_generation(max(database_mark().generation, keystore_state().database_generation), chain)
    with transaction.atomic(using="keystore"):
        state = keystore_state(lock=True)
        state.generation = max(state.generation, database_mark().keystore_generation) + 1
        state.database_generation = max(state.database_generation, database_mark().generation)
        state.dirty, state.forgotten = True, state.forgotten + 1
        state.save(using="keystore")
    report = Report("the files that lie here", len(chain.entries) - before, cleared, rearm_clocks(slow_date()))
    close_vault()
    report.gate = check_start(handle_of=handle_of)
    return report


def begin_new_ledger(*, handle_of: HandleOf) -> Report:
    """The ledger is lost: turn the epoch, destroy all backup keys, and begin a chain anew."""
    from mindstage.vault.marks import keystore_commit
    from mindstage.vault.models import BackupKey

    rotation.rotate()
    folder = settings.MINDSTAGE.ledger_dir
    lost = folder / book.NAME
    if lost.exists():
        lost.replace(folder / f"{book.NAME}.{date.today().isoformat()}.lost")  # noqa: DTZ011 - a file's name
    book.begin_book(folder)
    with keystore_commit() as state:
        BackupKey.objects.using("keystore").all().delete()
        state.ledger_length, state.ledger_hash, state.dirty = 0, book.GENESIS, True
    with transaction.atomic():
        mark = database_mark()
        mark.ledger_length, mark.generation = 0, mark.generation + 1
        mark.save()
    chain = _ledger()
    pin_ledger(chain.head)
    rotation.rotate()
    return Report("a new ledger", gate=finish_start(chain, handle_of=handle_of))


def restore_machine(*, handle_of: HandleOf) -> Report:
    """A new machine: root key and escrow are here, all else comes from the newest copy and the newest backup."""
    configuration = settings.MINDSTAGE
    escrow = read_escrow(configuration.escrow_dir)
    if escrow is None:
        raise RestoreRefused("The escrow folder holds no epoch file; without it no copy and no backup opens.")
    write_epoch_file(configuration.keys_dir, escrow)
    root = read_root_key(configuration.keys_dir)
    keys = {number: escrow.epoch_key(number, root=root) for number in escrow.slots}
    head = book.Head(*escrow.pin)
    found = next(((path, copy) for path, copy in copies.newest_copies(keys) if copy.chain.extends(head)), None)
    if found is None:
        raise RestoreRefused("No copy of the keystore opens with the escrow's keys; nothing can be restored.")
    path, copy = found
    (configuration.ledger_dir / book.NAME).write_bytes(book.to_bytes(copy.chain))
    report = restore_keystore(path, copy, handle_of=handle_of)
    report.what = "a new machine"
    return report


def rearm_clocks(day: date) -> int:
    """Give every freeze and every stay in the trash its full time again; how many."""
    return sum(holding.rearm(day) for holding in holdings())


def choose_copy() -> tuple[Path, KeystoreCopy]:
    """The newest keystore copy that opens. Raises RestoreRefused."""
    folder = settings.MINDSTAGE.keys_dir
    root, epochs = read_root_key(folder), epoch_keys(folder)
    keys = {number: epochs.epoch_key(number, root=root) for number in epochs.slots}
    newest = next(iter(copies.newest_copies(keys)), None)
    if newest is None:
        raise RestoreRefused("No copy of the keystore opens with the epoch keys that lie here.")
    return newest


def _ledger() -> Chain:
    chain = book.read_book(settings.MINDSTAGE.ledger_dir)
    if chain is None:
        raise RestoreRefused("The ledger is missing; put it back, or begin a new one with --new-ledger.")
    return chain


def _stage_database(backup: Backup) -> Path:
    staged: Path = settings.MINDSTAGE.database_file.with_name("restoring.sqlite3")
    try:
        key = backup_key(backup.id)
        with backup.path.open("rb") as sealed, os.fdopen(_private(staged), "wb") as plain:
            for part in open_chunks(sealed, key=key, place=place_of(backup.id)):
                plain.write(part)
            plain.flush()
            os.fsync(plain.fileno())
    except KeyGone:
        raise RestoreRefused("The key of this backup has ended, so nobody can open it. Choose a newer one.") from None
    except Unreadable:
        staged.unlink(missing_ok=True)
        raise RestoreRefused("This backup was cut short or changed, or belongs to another instance.") from None
    except OSError:
        staged.unlink(missing_ok=True)
        raise RestoreRefused("This backup cannot be read, or there is no room for it on the data's disk.") from None
    return staged


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _raise_generation(newest: int, chain: Chain) -> None:
    mark = database_mark()
    mark.generation = max(newest, mark.generation) + 1
    mark.keystore_generation = keystore_state().generation
    mark.ledger_length = len(chain.entries)
    mark.save()


def _live_state() -> Keystore | None:
    if not settings.MINDSTAGE.keystore_file.exists():
        return None
    return Keystore.objects.using("keystore").filter(pk=1).first()


def _swap(staged: Path, live: Path) -> None:
    """One rename; what lay beside the old file (its log) goes with it."""
    for alias in connections:
        connections[alias].close()
    for suffix in ("-wal", "-shm", "-journal"):
        live.with_name(live.name + suffix).unlink(missing_ok=True)
    staged.replace(live)
    descriptor = os.open(live.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _at:
    """Let one of the two connections look at another file for a while."""

    def __init__(self, alias: str, file: Path) -> None:
        self.alias, self.file = alias, file

    def __enter__(self) -> None:
        connection = connections[self.alias]
        connection.close()
        self.before = connection.settings_dict["NAME"]
        connection.settings_dict["NAME"] = str(self.file)

    def __exit__(self, *_: object) -> None:
        connection = connections[self.alias]
        connection.close()
        if connection.vendor == "sqlite":
            self._fold_log()
        connection.settings_dict["NAME"] = self.before

    def _fold_log(self) -> None:
        """Write the log into the file, so that one rename carries everything."""
        import sqlite3

        with sqlite3.connect(self.file) as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()


def _database_at(file: Path) -> _at:
    return _at("default", file)


def _keystore_at(file: Path) -> _at:
    return _at("keystore", file)
