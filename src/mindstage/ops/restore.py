"""Put things back without bringing anybody back: staged, replayed, then one swap, then the start-up check.

Every deed here runs with the server stopped and the data folder's lock held. docs/subsystems/restore.md
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, transaction

from mindstage.datamap.holdings import Cleared
from mindstage.ledger import book
from mindstage.ledger.book import Chain, Kind
from mindstage.ops.backup import Backup, place_of
from mindstage.ops.rearming import rearm_clocks
from mindstage.ops.rhythm import Rhythm, carry_rhythm, find_rhythm, note_rhythm
from mindstage.ops.servers import ServerRefused
from mindstage.ops.staging import Stage, staged
from mindstage.vault import copies
from mindstage.vault.backup_keys import backup_key
from mindstage.vault.copies import KeystoreCopy, from_json
from mindstage.vault.ending import HandleOf, apply_to_database, apply_to_keystore, ended_subjects
from mindstage.vault.epoch_file import EpochFile, read_epoch_file, write_epoch_file
from mindstage.vault.escrow import EscrowAway, read_escrow
from mindstage.vault.fields import SealedRow
from mindstage.vault.files import make_private_folder, write_durably
from mindstage.vault.keys import KeyGone, close_vault
from mindstage.vault.locking import vault_lock
from mindstage.vault.marks import database_mark, keystore_commit, keystore_state
from mindstage.vault.models import ItemKey, Keystore, UserKey
from mindstage.vault.root_key import read_root_key
from mindstage.vault.sealed_files import open_chunks
from mindstage.vault.sealing import Unreadable
from mindstage.vault.start_check import Gate, Mode, check_start, extends_all
from mindstage.vault.tags import ledger_tag

DATABASE_LOST = (
    "The database is missing: put it back, or restore a backup; `mindstage restore list` shows those that open."
)


_ANOTHER = "Nothing was changed; take another one: `mindstage restore list` shows those that open."


class RestoreRefused(Exception):
    """Nothing was changed. Its text is one sentence that says what to do."""


@dataclass(slots=True)
class Report:
    """What a restore did, in counts, for the operator."""

    what: str
    replayed: int = 0
    cleared: list[Cleared] = field(default_factory=list)
    rearmed: int = 0
    keyless: int = 0
    """Rows whose key is lost: they stand there and say so."""
    keys_of_ended: int = 0
    """Keys of ended people and items that are still there: none, or something is badly wrong."""
    gate: Gate = field(default_factory=lambda: Gate(Mode.REFUSED))


def restore_database(backup: Backup, *, handle_of: HandleOf, not_newer_than: int | None = None) -> Report:
    """Open a backup beside the live database, replay all that was ended since, re-arm running clocks, swap.

    `not_newer_than`: the generation of the keystore that is there, where it came from a copy. Raises RestoreRefused.
    """
    with vault_lock(), staged("default") as stage:
        chain = read_ledger()
        newest = max(_live_generation(), keystore_state().database_generation)
        rhythm = _live_rhythm()
        _fill(stage, backup)
        report = Report(f"the database of backup {backup.id}")
        with stage.connected():
            before = database_mark()
            _refuse_unfit(before.ledger_length, chain)
            _refuse_keys_of_ended(chain)
            if not_newer_than is not None and before.keystore_generation > not_newer_than:
                raise RestoreRefused("This backup is newer than the keystore that is here. Choose an older one.")
            report.replayed = chain.head.length - before.ledger_length
            report.cleared = apply_to_database(chain)
            report.rearmed = rearm_clocks()
            carry_rhythm(rhythm)
            raise_database(newest)
        stage.swap()
        return end(report, handle_of=handle_of)


def restore_keystore(
    path: Path, copy: KeystoreCopy, *, handle_of: HandleOf, agree: Callable[[int], bool] = lambda _: True
) -> Report:
    """Put a keystore copy in place of a lost or damaged one; keys younger than the copy are lost.

    `agree` is told how many rows lose their key, and says whether to go on. Raises RestoreRefused.
    """
    with vault_lock():
        bring_epoch_file(copy)
        swap_keystore(copy, handle_of=handle_of, agree=agree)
        return end(Report(f"the keystore of copy {path.name}"), handle_of=handle_of)


def swap_keystore(copy: KeystoreCopy, *, handle_of: HandleOf, agree: Callable[[int], bool]) -> None:
    """Stage a copy: replay the ledger into it, raise its generation above all that was seen; then one durable step."""
    live = _live_state()
    with staged("keystore") as stage:
        if _has_database():
            _fill_keystore(stage, copy, live, handle_of, agree)
        else:  # a database of nobody stands in for the one that is still to come
            with staged("default") as nobodys, nobodys.connected():
                _fill_keystore(stage, copy, live, handle_of, agree)
        stage.swap()


def replay(*, handle_of: HandleOf) -> Report:
    """After an old file was copied into place: bring both databases up to the ledger and to one age, then open."""
    with vault_lock():
        gate = check_start(handle_of=handle_of)
        if gate.mode is Mode.REFUSED:
            raise RestoreRefused(gate.why)
        report = Report("the files that lie here", gate=gate)
        if gate.mode is Mode.OPEN:
            return end(report, handle_of=handle_of)
        chain, mark = read_ledger(), database_mark()
        _refuse_unfit(mark.ledger_length, chain)
        report.replayed = chain.head.length - mark.ledger_length
        apply_to_keystore(chain, handle_of=handle_of)
        _refuse_keys_of_ended(chain)
        report.cleared = apply_to_database(chain)
        if mark.generation < keystore_state().database_generation:
            report.rearmed = rearm_clocks()
            find_rhythm()
        with keystore_commit() as state:  # the keystore first: the database then notes a generation above all seen
            state.generation = max(state.generation, mark.keystore_generation)
            state.dirty, state.forgotten = True, state.forgotten + 1
        raise_database(keystore_state().database_generation)
        return end(report, handle_of=handle_of)


def end(report: Report, *, handle_of: HandleOf) -> Report:
    """The start-up check, and a look at what must not be there."""
    close_vault()
    if not _has_database():
        report.gate = Gate(Mode.REFUSED, DATABASE_LOST)
        return report
    report.gate = check_start(handle_of=handle_of)
    if report.gate.mode is Mode.OPEN:
        report.keyless, report.keys_of_ended = count_keyless(), count_keys_of_ended(read_ledger())
    return report


def count_keyless() -> int:
    """Accounts and items whose key is not in the keystore."""
    users = set(UserKey.objects.using("keystore").values_list("pk", flat=True))
    items = set(ItemKey.objects.using("keystore").values_list("pk", flat=True))
    count = 0
    for model in apps.get_models():
        if issubclass(model, SealedRow) and model.keyed_to == "id":
            known = users if model.by_account else items
            count += sum(key not in known for key in model._default_manager.values_list("pk", flat=True).iterator())
    return count


def count_keys_of_ended(chain: Chain) -> int:
    """Keys of people and items that the ledger has ended."""
    ended = ended_subjects(chain, (Kind.PERSON, Kind.ITEM))
    if not ended:
        return 0
    keys = [*UserKey.objects.using("keystore").values_list("pk", flat=True)]
    keys += [*ItemKey.objects.using("keystore").values_list("pk", flat=True)]
    return sum(ledger_tag(key) in ended for key in keys)


def raise_database(newest: int) -> None:
    """Make the database newer than all that was ever seen of it."""
    with transaction.atomic():
        mark = database_mark()
        mark.generation = max(newest, mark.generation) + 1
        mark.keystore_generation = keystore_state().generation
        mark.save()


def choose_copy() -> tuple[Path, KeystoreCopy]:
    """The newest keystore copy that opens. Raises RestoreRefused."""
    configuration = settings.MINDSTAGE
    root = read_root_key(configuration.keys_dir)
    epochs = read_epoch_file(configuration.keys_dir) or reachable_escrow()
    keys = {number: epochs.epoch_key(number, root=root) for number in epochs.slots} if epochs else {}
    newest = next(iter(copies.newest_copies(keys)), None)
    if newest is None:
        raise RestoreRefused("No copy of the keystore opens with the epoch keys that lie here; nothing was changed.")
    return newest


def bring_epoch_file(copy: KeystoreCopy) -> None:
    """What a keystore copy needs beside it: the epoch file, else the escrow's; a ledger that goes on from its own."""
    configuration = settings.MINDSTAGE
    escrow = reachable_escrow()
    chain = _chain_here() or copy.chain
    if not extends_all(chain, None, escrow) or not chain.extends(copy.chain.head):
        raise RestoreRefused(
            "The ledger of erasures does not reach what this copy, the epoch file, the escrow or the database know of "
            "it; put the right ledger back. Nothing was changed."
        )
    if read_epoch_file(configuration.keys_dir) is None and escrow is not None:
        write_epoch_file(configuration.keys_dir, escrow)
    bring_ledger(chain)


def bring_ledger(chain: Chain) -> None:
    """Write a ledger that came out of a copy."""
    folder = settings.MINDSTAGE.ledger_dir
    make_private_folder(folder)
    if not (folder / book.NAME).exists():
        write_durably(folder / book.NAME, book.to_bytes(chain))


def read_ledger() -> Chain:
    """Raises RestoreRefused when there is none, or it is no chain."""
    chain = _chain_here()
    if chain is None:
        raise RestoreRefused("The ledger of erasures is missing: put it back, or begin a new one with --new-ledger.")
    return chain


def reachable_escrow() -> EpochFile | None:
    """The escrow, or None when it is away or empty."""
    try:
        return read_escrow(settings.MINDSTAGE.escrow_dir)
    except EscrowAway:
        return None


def _chain_here() -> Chain | None:
    try:
        return book.read_book(settings.MINDSTAGE.ledger_dir)
    except book.LedgerBroken:
        raise RestoreRefused(
            "The ledger of erasures is damaged: put it back, or begin a new one with --new-ledger."
        ) from None


def _refuse_unfit(length: int, chain: Chain) -> None:
    if not chain.base <= length <= chain.head.length:
        raise RestoreRefused(
            "This database knows another ledger of erasures than the one that lies here, so nobody can say what was "
            "erased since. Nothing was changed."
        )


def _refuse_keys_of_ended(chain: Chain) -> None:
    """What the keystore says that it has destroyed must not be in it, before anything is put in place or opened."""
    applied = replace(chain, entries=chain.entries[: max(0, keystore_state().ledger_length - chain.base)])
    if count := count_keys_of_ended(applied):
        raise RestoreRefused(
            f"The keystore still holds keys of what the ledger has ended ({count}), so it is not the one that belongs "
            "here; nothing was put back or opened. Put the right one back, or take its newest copy: `mindstage restore "
            "--keystore`."
        )


def _fill(stage: Stage, backup: Backup) -> None:
    try:
        stage.fill(lambda path: _unseal(backup, path))
    except ServerRefused as refused:
        raise RestoreRefused(str(refused)) from None


def _unseal(backup: Backup, path: Path) -> None:
    try:
        key = backup_key(backup.id)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with backup.path.open("rb") as sealed, os.fdopen(descriptor, "wb") as plain:
            for part in open_chunks(sealed, key=key, place=place_of(backup.id)):
                plain.write(part)
            plain.flush()
            os.fsync(plain.fileno())
    except KeyGone:
        raise RestoreRefused(
            f"There is no key for this backup: it has ended, or the backup belongs to another instance. {_ANOTHER}"
        ) from None
    except Unreadable:
        raise RestoreRefused(f"This backup was cut short or changed after it was taken. {_ANOTHER}") from None
    except OSError:
        raise RestoreRefused(
            "This backup cannot be read, or there is no room for it on the data's disk. Nothing was changed; look at "
            "both and run this again."
        ) from None


def _fill_keystore(
    stage: Stage, copy: KeystoreCopy, live: Keystore | None, handle_of: HandleOf, agree: Callable[[int], bool]
) -> None:
    mark, chain = database_mark(), _chain_here() or copy.chain
    with stage.connected():
        copies.load_tables(copy)
        state = Keystore(**{name: from_json(value) for name, value in copy.state.items()})
        state.generation = max(live.generation if live else 0, mark.keystore_generation, state.generation) + 1
        state.database_generation, state.dirty, state.forgotten = mark.generation, True, state.forgotten + 1
        if live is not None:
            state.slow_date = live.slow_date  # the slow date never leaps
        state.save(using="keystore", force_insert=True)
        apply_to_keystore(chain, handle_of=handle_of)
        _refuse_keys_of_ended(chain)
        if not agree(count_keyless()):
            raise RestoreRefused("Nothing was changed.")


def _live_generation() -> int:
    return database_mark().generation if _has_database() else 0


def _live_rhythm() -> Rhythm | None:
    """None where the live database is lost, damaged, or of a version that knew less."""
    try:
        return note_rhythm() if _has_database() else None
    except DatabaseError:
        return None


def _has_database() -> bool:
    if not settings.MINDSTAGE.database_url and not settings.MINDSTAGE.database_file.is_file():
        return False
    try:
        database_mark()
    except DatabaseError:
        return False
    return True


def _live_state() -> Keystore | None:
    if not settings.MINDSTAGE.keystore_url and not settings.MINDSTAGE.keystore_file.is_file():
        return None
    try:
        return Keystore.objects.using("keystore").filter(pk=1).first()
    except DatabaseError:
        return None
