"""What is compared at every start, before anything is served. The same steps finish a crash and undo a copied-in file.

docs/subsystems/restore.md has the table of what happens to which set of old files, and what no machine can catch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from mindstage.ledger import book, signing
from mindstage.ledger.book import Chain, Head, LedgerBroken
from mindstage.vault.clocks import expire_backup_keys
from mindstage.vault.copies import NoCopy, make_sure_of_copy
from mindstage.vault.ending import HandleOf, apply_to_database, apply_to_keystore, pin_ledger
from mindstage.vault.epoch_file import EpochFile, read_epoch_file, write_epoch_file
from mindstage.vault.escrow import EscrowAway, make_escrow_folder, read_escrow
from mindstage.vault.files import make_private_folder, write_durably
from mindstage.vault.keys import instance_key
from mindstage.vault.locking import vault_lock
from mindstage.vault.marks import database_mark
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
KEYSTORE_LOST = (
    "The keystore is missing or empty. Put it back, or restore it from its newest copy with "
    "`mindstage restore --keystore`."
)
OLD_KEYSTORE = (
    "The keystore is older than the database. Stop Mindstage; then put the right one back, restore its newest copy "
    "with `mindstage restore --keystore`, or go on with this one: `mindstage restore --replay`."
)
OLD_DATABASE = (
    "The database is older than the keystore: an old file was put back. Stop Mindstage and run "
    "`mindstage restore --replay`, which erases in it what was erased since."
)
DATABASE_TOO_OLD = (
    "The database is older than the gap in the ledger of erasures, so nobody can say what was erased since. Put a "
    "newer database back."
)


def check_start(*, handle_of: HandleOf) -> Gate:
    """Compare, repair what can be repaired, replay. Raises KeyMistake, OSError."""
    global _gate
    with vault_lock():
        _gate = _check(handle_of)
    return _gate


def _check(handle_of: HandleOf) -> Gate:
    configuration = settings.MINDSTAGE
    state = Keystore.objects.using("keystore").filter(pk=1).first()
    if state is None:
        return Gate(Mode.REFUSED, KEYSTORE_LOST)
    make_first_escrow(state)
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
    if not extends_all(chain, state, escrow) or not _is_gap_ours(chain):
        return Gate(Mode.REFUSED, LEDGER_SHORT)
    mark = database_mark()
    if mark.ledger_length < chain.base:
        return Gate(Mode.REFUSED, DATABASE_TOO_OLD)
    if older := find_older_copy():
        return Gate(Mode.RESTORING, older)
    return finish_start(chain, handle_of=handle_of)


def find_older_copy() -> str:
    """Which of the two databases is older than the other knows it, as a sentence; "" when neither is.

    It may be asked while others write: each of them counts first, and tells the other afterwards.
    """
    told_by_database = database_mark().keystore_generation
    state = Keystore.objects.using("keystore").get(pk=1)
    if state.generation < told_by_database:
        return OLD_KEYSTORE
    return OLD_DATABASE if database_mark().generation < state.database_generation else ""


ESCROW_MADE = "escrow.made"
"""An empty file beside the root key: this instance had an escrow, so a folder that is not there is away."""


def make_first_escrow(state: Keystore) -> None:
    """Give an instance that never had an escrow its folder: one that never turned its epoch nor ended anything."""
    configuration = settings.MINDSTAGE
    made = configuration.keys_dir / ESCROW_MADE
    epochs = read_epoch_file(configuration.keys_dir)
    if made.exists() or epochs is None or state.epoch != 1 or set(epochs.slots) != {1} or epochs.pin[0]:
        return
    try:
        make_escrow_folder(configuration.escrow_dir)
        write_durably(made, b"")
    except EscrowAway:
        pass  # said by `doctor`


def finish_start(chain: Chain, *, handle_of: HandleOf) -> Gate:
    """Steps 5 to 7: replay, destroy what is overdue, resume a rotation, pin."""
    apply_to_keystore(chain, handle_of=handle_of)
    apply_to_database(chain)
    expire_backup_keys()
    try:
        make_sure_of_copy()
        resume_rotation()
    except (EscrowAway, NoCopy, OSError):
        pass  # said by `doctor`; erasures and receipts wait, and the turn is taken up again in the night
    pin_ledger(chain.head)
    return Gate(Mode.OPEN)


def _reachable_escrow() -> EpochFile | None:
    """The escrow, or None when it is away or lost: then the end of the check writes it anew from the epoch file."""
    try:
        return read_escrow(settings.MINDSTAGE.escrow_dir)
    except EscrowAway:
        return None


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
    if chain is None or not (chain.extends(Head.at(escrow.pin)) or escrow.pin[0] < chain.base):
        return Gate(Mode.REFUSED, LEDGER_SHORT)
    write_epoch_file(folder, escrow)
    return None


def extends_all(chain: Chain, state: Keystore | None, escrow: EpochFile | None) -> bool:
    """Whether a ledger reaches all that keystore, epoch file, escrow and database know of it.

    A pin from before a gap says nothing about what came after; the keystore itself must know the gap's head.
    """
    epochs = read_epoch_file(settings.MINDSTAGE.keys_dir)
    pins = [Head.at(pinned.pin) for pinned in (epochs, escrow) if pinned is not None]
    reached = all(chain.extends(pin) or pin.length < chain.base for pin in pins)
    if state is not None:
        reached = reached and chain.extends(Head(state.ledger_length, state.ledger_hash))
    return reached and chain.head.length >= database_mark().ledger_length


def _is_gap_ours(chain: Chain) -> bool:
    if chain.gap is None:
        return True
    key = signing.public_key(instance_key("receipt"))
    try:
        signature = signing.from_text(chain.gap.signature)
    except ValueError:
        return False
    return signing.is_signed(chain.gap.signed_part(), signature, key=key)
