"""The escrow: the epoch file's second copy, in another place. With neither, everything is lost, backups included.

Its folder is made once, with the instance's keys. A folder that is no longer there is *away* (an unmounted disk), never
lost: made anew it would hide an older epoch that lives on, and an erasure would be called done too early.
"""

from __future__ import annotations

from pathlib import Path

from mindstage.vault.epoch_file import NAME, EpochFile, read_epoch_file, write_epoch_file
from mindstage.vault.files import make_private_folder


class EscrowAway(Exception):
    """The place of the escrow cannot be reached. Nothing is rotated without it, and no erasure is done."""


def make_escrow_folder(folder: Path) -> None:
    """Once, when the keys are made. Raises EscrowAway."""
    try:
        make_private_folder(folder)
    except OSError:
        raise EscrowAway from None


def read_escrow(folder: Path) -> EpochFile | None:
    """The escrow's copy, or None when it was lost. Raises EscrowAway, KeyMistake when the file is none."""
    try:
        if not folder.is_dir():
            raise EscrowAway
        (folder / NAME).read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        raise EscrowAway from None
    return read_epoch_file(folder)


def write_escrow(folder: Path, epochs: EpochFile) -> None:
    """Replace the escrow's copy durably. Raises EscrowAway."""
    try:
        if not folder.is_dir():
            raise EscrowAway
        write_epoch_file(folder, epochs)
    except OSError:
        raise EscrowAway from None
