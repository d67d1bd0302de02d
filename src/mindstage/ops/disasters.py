"""What is left to do when more than one thing is lost: a whole machine, or the ledger of erasures."""

from __future__ import annotations

from django.conf import settings

from mindstage.kit import clock
from mindstage.ledger import book, signing
from mindstage.ledger.book import Chain, Gap, Head
from mindstage.ops.backup import list_backups
from mindstage.ops.restore import (
    Report,
    RestoreRefused,
    bring_ledger,
    choose_copy,
    end,
    reachable_escrow,
    restore_database,
    swap_keystore,
)
from mindstage.vault import copies, rotation
from mindstage.vault.copies import KeystoreCopy, NoCopy
from mindstage.vault.ending import HandleOf
from mindstage.vault.epoch_file import EpochFile, write_epoch_file
from mindstage.vault.escrow import EscrowAway
from mindstage.vault.files import make_private_folder, sync_folder, write_durably
from mindstage.vault.keyring import epoch_keys
from mindstage.vault.keys import instance_key
from mindstage.vault.locking import vault_lock
from mindstage.vault.marks import database_mark, keystore_commit, keystore_state
from mindstage.vault.models import BackupKey
from mindstage.vault.root_key import read_root_key
from mindstage.vault.start_check import Mode, extends_all


def restore_machine(*, handle_of: HandleOf) -> Report:
    """A new machine: root key, escrow, copies and backups are here, nothing else. Raises RestoreRefused, KeyMistake.

    1 epoch file from the escrow 2 ledger, with the receipts beside it, and 3 keystore from the newest copy that reaches
    the escrow's pin 4 the newest backup whose key is in it 5 the epoch turns at once, which shuts the old machine out.
    """
    configuration = settings.MINDSTAGE
    with vault_lock():
        escrow = reachable_escrow()
        if escrow is None:
            raise RestoreRefused("The escrow folder holds no epoch file; without it no copy and no backup opens.")
        copy = _find_copy(escrow)
        for folder in (configuration.database_file.parent, configuration.keystore_file.parent):
            make_private_folder(folder)
        write_epoch_file(configuration.keys_dir, escrow)
        bring_ledger(copy.chain)
        copies.bring_receipts(copy)
        generation = copy.state["generation"]
        swap_keystore(copy, handle_of=handle_of, agree=lambda _: True)
        report = _restore_newest(generation, handle_of=handle_of)
        if report.gate.mode is Mode.OPEN:
            rotation.rotate()
        return report


def _find_copy(escrow: EpochFile) -> KeystoreCopy:
    root = read_root_key(settings.MINDSTAGE.keys_dir)
    keys = {number: escrow.epoch_key(number, root=root) for number in escrow.slots}
    head = Head.at(escrow.pin)
    for _, copy in copies.newest_copies(keys):
        if copy.chain.extends(head) or head.length < copy.chain.base:
            return copy
    raise RestoreRefused("No copy of the keystore opens with the escrow's keys; nothing can be restored from here.")


def _restore_newest(generation: int, *, handle_of: HandleOf) -> Report:
    for backup in list_backups(settings.MINDSTAGE.backups_dir):
        try:
            report = restore_database(backup, handle_of=handle_of, not_newer_than=generation)
        except RestoreRefused:
            continue
        report.what = f"a new machine, with backup {backup.id}"
        return report
    raise RestoreRefused(
        "The keystore is back, but no backup here opens with it. Put the newest backup into the backups folder and run "
        "this again."
    )


def begin_new_ledger(*, handle_of: HandleOf) -> Report:
    """The ledger is lost. The newest copy of the keystore may hold all of it; else a new one begins where it ended.

    What nobody can replay must then be out of reach: the keys of all backups are destroyed and the epoch turns, which
    makes every older keystore copy noise. Raises RestoreRefused, EscrowAway.
    """
    with vault_lock():
        if _chain() is not None and extends_all(_known(), keystore_state(), reachable_escrow()):
            raise RestoreRefused("The ledger is here and whole; nothing was changed.")
        if (found := _copy_with_ledger()) is not None:
            _set_aside()
            bring_ledger(found.chain)
            copies.bring_receipts(found)
            return end(Report("the ledger of the newest keystore copy"), handle_of=handle_of)
        head = _refuse_disagreement()
        if reachable_escrow() is None:
            raise EscrowAway
        with keystore_commit() as state:  # 1 what lies in backups cannot be replayed any more: nobody may open it
            BackupKey.objects.using("keystore").all().delete()
            state.dirty, state.forgotten = True, state.forgotten + 1
            state.ledger_length, state.ledger_hash = head.length, head.hash
        _set_aside()
        bring_ledger(Chain((), (head.hash,), _sign_gap(head)))  # 2
        rotation.rotate()  # 3
        return end(Report("a new ledger"), handle_of=handle_of)


def _chain() -> Chain | None:
    try:
        return book.read_book(settings.MINDSTAGE.ledger_dir)
    except book.LedgerBroken:
        return None


def _known() -> Chain:
    chain = _chain()
    assert chain is not None
    return chain


def _copy_with_ledger() -> KeystoreCopy | None:
    """The newest copy, when its ledger reaches all that anybody knows."""
    try:
        _, copy = choose_copy()
    except (RestoreRefused, NoCopy):
        return None
    return copy if extends_all(copy.chain, keystore_state(), reachable_escrow()) else None


def _refuse_disagreement() -> Head:
    """Where the lost ledger ended. Raises RestoreRefused unless the database has applied all that was pinned.

    Keys are always destroyed before rows are cleared: a database that has come as far as the pin proves the keystore.
    """
    state, mark = keystore_state(), database_mark()
    head = Head.at(epoch_keys(settings.MINDSTAGE.keys_dir).pin)
    together = state.generation >= mark.keystore_generation and mark.generation >= state.database_generation
    if not together or mark.ledger_length != head.length or state.ledger_length > head.length:
        raise RestoreRefused(
            "Keystore, database and epoch file do not agree on where the lost ledger ended, so an erasure may be "
            "missing in one of them. Put the ledger back, or the files that belong together. Nothing was changed."
        )
    return head


def _sign_gap(head: Head) -> Gap:
    gap = Gap(head.length, head.hash, clock.today())
    signature = signing.to_text(signing.sign(gap.signed_part(), seed=instance_key("receipt")))
    return Gap(gap.length, gap.hash, gap.day, signature)


def _set_aside() -> None:
    """Keep what is left of a broken ledger under another name."""
    folder = settings.MINDSTAGE.ledger_dir
    make_private_folder(folder)
    broken = folder / book.NAME
    if broken.exists():
        write_durably(folder / f"{book.NAME}.{clock.today().isoformat()}.broken", broken.read_bytes())
        broken.unlink()
        sync_folder(folder)
