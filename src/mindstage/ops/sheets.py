"""The recovery sheet of the root key as something to print, and the way back from it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.template import engines

from mindstage.kit import clock
from mindstage.ledger import signing
from mindstage.ops.instance import Instance
from mindstage.ops.keys_at_start import has_keys, refuse_wrong_keys
from mindstage.ops.mistakes import StartMistake
from mindstage.vault.epoch_file import EpochFile, read_epoch_file
from mindstage.vault.escrow import EscrowAway, read_escrow
from mindstage.vault.files import sync_folder
from mindstage.vault.keyring import EMPTY
from mindstage.vault.keys import instance_key
from mindstage.vault.recovery_sheet import note_sheet, sheet_lines
from mindstage.vault.root_key import NAME, KeyMistake, read_root_key, write_root_key

PRINTED: Final = Path(__file__).parent / "printed"
"""Not among the templates of pages: what is printed brings its own style, and no page of the program may."""


def make_sheet(instance: Instance, *, as_page: bool) -> str:
    """The sheet, as a page that prints by itself or as text. Raises KeyMistake, StartMistake.

    Only of a root key that opens this instance: a sheet that helps nobody is worse than none.
    """
    if not has_keys(instance):
        raise StartMistake(EMPTY)
    refuse_wrong_keys(instance)
    form = PRINTED / f"recovery_sheet.{'html' if as_page else 'txt'}"
    return str(engines["django"].from_string(form.read_text()).render(_facts(instance)))


def write_sheet(sheet: str, place: Path, instance: Instance) -> None:
    """Write it for its owner alone, where nothing is yet. Raises StartMistake."""
    refuse_place(place, instance)
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise StartMistake(f"{place} exists already; choose another name. Nothing was changed.") from None
    except OSError as failure:
        raise StartMistake(f"{place} cannot be written ({failure.strerror}).") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(sheet)
        file.flush()
        os.fsync(descriptor)
    sync_folder(place.parent)


def refuse_place(place: Path, instance: Instance) -> None:
    """A sheet lies apart from what it opens: raises StartMistake for the instance's own folders."""
    own = {
        "the data folder": instance.data_dir,
        "the keys folder": instance.keys_dir,
        "the escrow": instance.escrow_dir,
        "the backups": instance.backups_dir,
    }
    for name, folder in own.items():
        if place.resolve().is_relative_to(folder.resolve()):
            raise StartMistake(
                f"A recovery sheet does not belong into {name}, where it is lost or copied together with what it "
                "opens; choose another place. Nothing was changed."
            )


def note_sheet_made(instance: Instance) -> None:
    """From now on the doctor knows of it. Raises OSError."""
    note_sheet(instance.keys_dir, clock.today())


def refuse_present_key(instance: Instance) -> None:
    """A root key that is there is never overwritten: raises StartMistake."""
    path = instance.keys_dir / NAME
    if path.exists() or path.is_symlink():
        raise StartMistake(f"There is a root key already: {path}. It is never overwritten; nothing was changed.")


def epochs_to_open(instance: Instance) -> EpochFile:
    """What a typed root key must open: the epoch file, else the escrow's. Raises StartMistake, KeyMistake."""
    epochs = read_epoch_file(instance.keys_dir)
    if epochs is not None:
        return epochs
    try:
        escrow = read_escrow(instance.escrow_dir)
    except EscrowAway:
        escrow = None
    if escrow is None:
        raise StartMistake(
            "There is nothing here that the root key could be tried on: neither an epoch file in "
            f"{instance.keys_dir} nor one in {instance.escrow_dir}. Put the escrow in its place first."
        )
    return escrow


def put_back(key: bytes, instance: Instance) -> Path:
    """Write a root key that opens the epoch file where there is none; its path. Raises KeyMistake, StartMistake."""
    epochs = epochs_to_open(instance)
    try:
        epochs.epoch_key(epochs.newest, root=key)
    except KeyMistake:
        raise StartMistake(
            "The lines are whole, but the sheet belongs to another instance: its key does not open the epoch file "
            "here. Nothing was changed."
        ) from None
    refuse_present_key(instance)
    write_root_key(instance.keys_dir, key)
    note_sheet_made(instance)
    return instance.keys_dir / NAME


def _facts(instance: Instance) -> dict[str, Any]:
    signs = signing.public_key(instance_key("receipt"))
    return {
        "name": settings.MINDSTAGE.name,
        "day": clock.today().isoformat(),
        "fingerprint": signing.fingerprint(signs),
        "lines": sheet_lines(read_root_key(instance.keys_dir)),
    }
