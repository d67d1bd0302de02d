"""What is compared at every start, before anything is served. The same steps finish a crash and undo a copied-in file.

docs/subsystems/restore.md has the table of what happens to which set of old files, and what no machine can catch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from django.conf import settings

from mindstage.ledger import book
from mindstage.ledger.book import Chain, Head, LedgerBroken
from mindstage.vault.clocks import expire_backup_keys
from mindstage.vault.ending import HandleOf, apply_to_database, apply_to_keystore, pin_ledger
from mindstage.vault.epoch_file import EpochFile, read_epoch_file, write_epoch_file
from mindstage.vault.escrow import EscrowAway, read_escrow, write_escrow
from mindstage.vault.files import make_private_folder
from mindstage.vault.locking import vault_lock
from mindstage.vault.marks import database_mark, keystore_state
from mindstage.vault.models import Keystore
from mindstage.vault.rotation import resume_rotation


class Mode(StrEnum):
    OPEN = "open"
    RESTORING = "restoring"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether anything may be served, and if not, why, in a sentence for the operator."""

    mode: Mode
    why: str = ""


_gate = Gate(Mode.OPEN)


def current_gate() -> Gate:
    """What the last check of this process said."""
    return _gate


LOST_EPOCH = (
    "The keystore belongs to an epoch that neither the epoch file nor the escrow holds; put back the files that belong "
    "together, or restore the keystore from its newest copy (mindstage restore --keystore)."
)
LEDGER_SHORT = (
    "The ledger of erasures is shorter than it was, or another one: what was erased could come back. Put the right "
    "ledger back, or begin a new one with `mindstage restore --new-ledger`."
)
LEDGER_LOST = (
    "The ledger of erasures is missing, so nobody could say what was erased. Put it back (the newest copy of the "
    "keystore holds one), or begin a new one with `mindstage restore --new-ledger`."
)
OLD_KEYSTORE = "The keystore is older than the database; run `mindstage restore --replay` to bring both together."
OLD_DATABASE = (
    "The database is older than the keystore; run `mindstage restore --replay` to replay what was erased since."
)


def check_start(*, handle_of: HandleOf) -> Gate:
    """Compare, repair what can be repaired, replay. Raises KeyMistake, OSError."""
    global _gate
    with vault_lock():
        _gate = _check(handle_of)
    return _gate


def _check(handle_of: HandleOf) -> Gate:
    configuration = settings.MINDSTAGE
    state = keystore_state()
    escrow = _reachable_escrow()
    make_private_folder(configuration.ledger_dir)
    try:
        chain = _first_ledger(state, escrow)
    except LedgerBroken:
        return Gate(Mode.REFUSED, LEDGER_SHORT)
    if refused := _mend_epoch_file(state, escrow, chain):
        return refused
    if chain is None:
        return Gate(Mode.REFUSED, LEDGER_LOST)
    if not _extends_all(chain, state, escrow):
        return Gate(Mode.REFUSED, LEDGER_SHORT)
    mark = database_mark()
    if state.generation < mark.keystore_generation:
        return Gate(Mode.RESTORING, OLD_KEYSTORE)
    if mark.generation < state.database_generation:
        return Gate(Mode.RESTORING, OLD_DATABASE)
    return finish_start(chain, handle_of=handle_of)


def finish_start(chain: Chain, *, handle_of: HandleOf) -> Gate:
    """Steps 5 to 7: replay, destroy what is overdue, resume a rotation, pin."""
    apply_to_keystore(chain, handle_of=handle_of)
    apply_to_database(chain)
    expire_backup_keys()
    try:
        resume_rotation()
    except EscrowAway:
        pass  # said by `doctor`; erasures and receipts wait
    pin_ledger(chain.head)
    return Gate(Mode.OPEN)


def _reachable_escrow() -> EpochFile | None:
    """The escrow; made from the epoch file when it is empty; None when its place cannot be reached."""
    configuration = settings.MINDSTAGE
    try:
        escrow = read_escrow(configuration.escrow_dir)
        epochs = read_epoch_file(configuration.keys_dir)
        if escrow is None and epochs is not None:
            escrow = replace(epochs, pin=(0, book.GENESIS))
            write_escrow(configuration.escrow_dir, escrow)
    except EscrowAway:
        return None
    return escrow


def _first_ledger(state: Keystore, escrow: EpochFile | None) -> Chain | None:
    """The ledger; an instance in which nothing was ever ended begins its own."""
    folder = settings.MINDSTAGE.ledger_dir
    chain = book.read_book(folder)
    epochs = read_epoch_file(settings.MINDSTAGE.keys_dir)
    pins = [pin.pin[0] for pin in (epochs, escrow) if pin is not None]
    if chain is None and not state.ledger_length and not any(pins) and not database_mark().ledger_length:
        book.begin_book(folder)
        chain = book.read_book(folder)
    return chain


def _mend_epoch_file(state: Keystore, escrow: EpochFile | None, chain: Chain | None) -> Gate | None:
    """Take the escrow's copy when the file is missing or older; an escrow older than the file never overrules it."""
    folder = settings.MINDSTAGE.keys_dir
    epochs = read_epoch_file(folder)
    newer = escrow is not None and (epochs is None or escrow.newest > epochs.newest)
    if not newer and epochs is not None and state.epoch in epochs.slots:
        return None
    if not newer or escrow is None or state.epoch not in escrow.slots:
        return Gate(Mode.REFUSED, LOST_EPOCH)
    if chain is None or not chain.extends(_head(escrow)):
        return Gate(Mode.REFUSED, LEDGER_SHORT)
    write_epoch_file(folder, escrow)
    return None


def _extends_all(chain: Chain, state: Keystore, escrow: EpochFile | None) -> bool:
    epochs = read_epoch_file(settings.MINDSTAGE.keys_dir)
    heads = [Head(state.ledger_length, state.ledger_hash)]
    heads += [_head(pinned) for pinned in (epochs, escrow) if pinned is not None]
    return all(chain.extends(head) for head in heads) and len(chain.entries) >= database_mark().ledger_length


def _head(epochs: EpochFile) -> Head:
    length, digest = epochs.pin
    return Head(length, digest or book.GENESIS)
