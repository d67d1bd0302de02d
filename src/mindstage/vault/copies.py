"""Copies of the keystore, its ledger and the receipts beside it, sealed under the epoch key, kept in two places.

A copy opens only as long as its epoch lives, so seven days of copies are not seven second chances: after the night's
rotation only those of the new epoch open. The newest that opens is never pruned.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from mindstage.kit import canonical, ids
from mindstage.ledger import book
from mindstage.ledger.book import Chain
from mindstage.vault.escrow import EscrowAway, read_escrow
from mindstage.vault.files import make_private_folder, write_durably
from mindstage.vault.keyring import keyring
from mindstage.vault.locking import vault_lock
from mindstage.vault.marks import keystore_state
from mindstage.vault.models import BackupKey, InstanceKey, ItemKey, ReservedHandle, UserKey
from mindstage.vault.root_key import KeyMistake, read_root_key
from mindstage.vault.sealing import Unreadable, derive, open_sealed, seal

KEPT = 2
"""Copies of the newest epoch that are kept in each place."""


class NoCopy(Exception):
    """No copy of the keystore opens with the epoch keys that exist."""


@dataclass(frozen=True, slots=True)
class KeystoreCopy:
    """The whole keystore as values: `tables` by name, rows as JSON; and the ledger it knew.

    `receipts`: those that waited beside it, sealed to their codes: name -> when written, bytes.
    """

    epoch: int
    tables: dict[str, list[dict[str, Any]]]
    chain: Chain
    receipts: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    @property
    def state(self) -> dict[str, Any]:
        return self.tables["keystore"][0]


def copy_folders() -> tuple[Path, Path]:
    """The two places. The second is away when the escrow is."""
    configuration = settings.MINDSTAGE
    return configuration.backups_dir / "keystore", configuration.escrow_dir / "keystore"


def write_copy() -> Path:
    """Take a copy under the current epoch key, read it back, prune the older ones.

    It is opened again with the key that the *escrow* holds, when that is in reach: a disaster leaves no other.
    Raises OSError, NoCopy (it does not open: nothing was pruned), LedgerBroken (no ledger to put into it).
    """
    with vault_lock():  # the epoch does not turn between the reading of its key and of the rows
        tables = _dump()  # the keystore first, then the ledger: it may know more than the keys, never less
        state = tables["keystore"][0]
        ring = keyring(state["epoch"])
        chain = book.read_book(settings.MINDSTAGE.ledger_dir)
        if chain is None:
            raise book.LedgerBroken
        content = canonical.to_bytes(
            {"tables": tables, "ledger": book.to_bytes(chain).decode(), "receipts": dict(_receipts())}
        )
        name = f"{ring.epoch:08}-{state['generation']:012}-{ids.sequential().hex}.copy"
        sealed = seal(derive(ring.epoch_key, "copy"), content, _place(ring.epoch))
        folders = [folder for folder in copy_folders() if folder.parent.is_dir() or folder == copy_folders()[0]]
        written = [_write(folder, name, sealed) for folder in folders]
        for path in written:
            open_copy(path, {ring.epoch: _key_of_escrow(ring.epoch) or ring.epoch_key})
        for folder in folders:
            _prune(folder, ring.epoch)
    return written[0]


def make_sure_of_copy() -> None:
    """Take a copy when none opens: at the first start, and after a disaster. Raises as `write_copy` does."""
    ring = keyring(keystore_state().epoch)
    if next(newest_copies({ring.epoch: ring.epoch_key}), None) is None:
        write_copy()


def open_copy(path: Path, epoch_keys: dict[int, bytes]) -> KeystoreCopy:
    """A copy, opened and verified. Raises NoCopy."""
    try:
        epoch = int(path.name.split("-", 1)[0])
        plain = open_sealed(derive(epoch_keys[epoch], "copy"), path.read_bytes(), _place(epoch))
        content = json.loads(plain)
        receipts = content.get("receipts", {})  # a copy of an earlier version has none
        receipts = {name: (when, bytes.fromhex(sealed)) for name, (when, sealed) in receipts.items()}
        return KeystoreCopy(epoch, content["tables"], book.parse(content["ledger"].encode()), receipts)
    except (OSError, ValueError, KeyError, Unreadable, book.LedgerBroken):
        raise NoCopy from None


def newest_copies(epoch_keys: dict[int, bytes]) -> Iterator[tuple[Path, KeystoreCopy]]:
    """Every copy that opens, the newest first (by epoch and generation: a clock may be wrong), from both places."""
    files = [path for folder in copy_folders() if folder.is_dir() for path in folder.glob("*.copy")]
    for path in sorted(files, key=lambda path: path.name, reverse=True):
        try:
            yield path, open_copy(path, epoch_keys)
        except NoCopy:
            continue


def bring_receipts(copy: KeystoreCopy) -> int:
    """Put back the receipts that are not here; how many. They end as they would have: by the day they were written."""
    folder, count = settings.MINDSTAGE.receipts_dir, 0
    make_private_folder(folder)
    for name, (when, sealed) in copy.receipts.items():
        path = folder / Path(name).name
        if not path.exists():
            write_durably(path, sealed)
            os.utime(path, (when, when))
            count += 1
    return count


def load_tables(copy: KeystoreCopy) -> None:
    """Write a copy's rows into the (empty, migrated) keystore database."""
    for name, model in _MODELS.items():
        rows = copy.tables.get(name, [])
        model.objects.using("keystore").bulk_create([model(**_thaw(row)) for row in rows])


_MODELS: dict[str, Any] = {
    "user": UserKey,
    "item": ItemKey,
    "backup": BackupKey,
    "instance": InstanceKey,
    "reserved": ReservedHandle,
}


def _receipts() -> Iterator[tuple[str, list[Any]]]:
    """What waits to be fetched, as JSON. One that ends just now is not in it."""
    for path in sorted(settings.MINDSTAGE.receipts_dir.glob("*.sealed")):
        with suppress(FileNotFoundError):
            yield path.name, [int(path.stat().st_mtime), path.read_bytes().hex()]


def _dump() -> dict[str, list[dict[str, Any]]]:
    with transaction.atomic(using="keystore"):
        state = keystore_state(lock=True)  # every commit of the keystore waits for this row: one moment for all tables
        tables = {
            name: [_freeze(row) for row in model.objects.using("keystore").values()] for name, model in _MODELS.items()
        }
        names = [field.attname for field in state._meta.local_fields]
        return tables | {"keystore": [_freeze({name: getattr(state, name) for name in names})]}


def _freeze(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _to_json(value) for name, value in row.items()}


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, uuid.UUID):
        return {"uuid": value.hex}
    return {"day": value.isoformat()} if isinstance(value, date) else value


def _thaw(row: dict[str, Any]) -> dict[str, Any]:
    return {name: from_json(value) for name, value in row.items()}


def from_json(value: Any) -> Any:
    """The inverse of what a copy makes of bytes, identifiers and days."""
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    return {"bytes": bytes.fromhex, "uuid": lambda t: uuid.UUID(hex=t), "day": date.fromisoformat}[kind](text)


def _key_of_escrow(epoch: int) -> bytes | None:
    """The epoch key as the escrow holds it; None when it is away or does not know this epoch yet."""
    configuration = settings.MINDSTAGE
    try:
        escrow = read_escrow(configuration.escrow_dir)
        if escrow is None or epoch not in escrow.slots:
            return None
        return escrow.epoch_key(epoch, root=read_root_key(configuration.keys_dir))
    except (EscrowAway, KeyMistake):
        return None


def _write(folder: Path, name: str, sealed: bytes) -> Path:
    make_private_folder(folder)
    write_durably(folder / name, sealed)
    return folder / name


def _prune(folder: Path, epoch: int) -> None:
    """Keep the newest of this epoch; those of former epochs are noise."""
    files = sorted(path for path in folder.glob("*.copy") if path.name < f"{epoch + 1:08}-")
    current = [path for path in files if path.name.startswith(f"{epoch:08}-")]
    for path in files:
        if path not in current[-KEPT:]:
            path.unlink()
    for draft in folder.glob("*.copy.new"):
        draft.unlink()


def _place(epoch: int) -> bytes:
    return b"keystore copy|%d" % epoch
