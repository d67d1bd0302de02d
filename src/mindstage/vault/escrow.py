"""The escrow: the epoch file's second copy, in another place. With neither, everything is lost, backups included."""

from __future__ import annotations

from pathlib import Path

from mindstage.vault.epoch_file import EpochFile, read_epoch_file, write_epoch_file
from mindstage.vault.files import make_private_folder


class EscrowAway(Exception):
    """The place of the escrow cannot be reached. Nothing is rotated without it, and no erasure is done."""


def read_escrow(folder: Path) -> EpochFile | None:
    """The escrow's copy, or None when it holds none. Raises EscrowAway, KeyMistake."""
    try:
        make_private_folder(folder)
    except OSError:
        raise EscrowAway from None
    return read_epoch_file(folder)


def write_escrow(folder: Path, epochs: EpochFile) -> None:
    """Replace the escrow's copy durably. Raises EscrowAway."""
    try:
        make_private_folder(folder)
        write_epoch_file(folder, epochs)
    except OSError:
        raise EscrowAway from None
