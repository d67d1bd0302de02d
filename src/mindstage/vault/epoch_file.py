"""The epoch file: epoch keys wrapped by the root key, beside the root key and never in the data folder.

Format: JSON `{"format": 1, "slots": {"1": hex}, "pin": {"length": 0, "hash": ""}}`. One slot, or two while the epoch
turns; the pin is the head of the erasure ledger.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from mindstage.kit import canonical
from mindstage.vault.files import write_durably
from mindstage.vault.root_key import KeyMistake
from mindstage.vault.sealing import KEY_BYTES, Unreadable, open_sealed, seal

NAME = "epoch.json"


@dataclass(frozen=True, slots=True)
class EpochFile:
    """`slots`: epoch number -> epoch key wrapped by the root key. `pin`: (length, hash in hex) of the ledger."""

    slots: dict[int, bytes]
    pin: tuple[int, str] = (0, "")

    @property
    def newest(self) -> int:
        return max(self.slots)

    def epoch_key(self, number: int, *, root: bytes) -> bytes:
        """Unwrap one epoch key. Raises KeyMistake when there is no such slot or the root key is another."""
        try:
            return open_sealed(root, self.slots[number], _place(number))
        except KeyError:
            raise KeyMistake(
                f"The keystore belongs to epoch {number}, which the epoch file does not hold; nothing was changed. "
                "Put back the epoch file that belongs to this data folder."
            ) from None
        except Unreadable:
            raise KeyMistake(
                "The root key does not belong to this epoch file; nothing was changed. "
                "Put back the root key that this instance was made with."
            ) from None


def first_epoch(root: bytes) -> EpochFile:
    """An epoch file with one new key."""
    return EpochFile({1: wrap_epoch_key(os.urandom(KEY_BYTES), 1, root=root)})


def wrap_epoch_key(key: bytes, number: int, *, root: bytes) -> bytes:
    """An epoch key under the root key, bound to its number."""
    return seal(root, key, _place(number))


def read_epoch_file(folder: Path) -> EpochFile | None:
    """The epoch file, or None when there is none yet. Raises KeyMistake when it is not one."""
    path = folder / NAME
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != 1 or not content["slots"]:
            raise ValueError
        slots = {int(n): bytes.fromhex(wrapped) for n, wrapped in content["slots"].items()}
        return EpochFile(slots, (int(content["pin"]["length"]), str(content["pin"]["hash"])))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        raise KeyMistake(f"{path} cannot be read as an epoch file; nothing was changed.") from None


def write_epoch_file(folder: Path, epochs: EpochFile) -> None:
    """Replace the epoch file durably. Raises OSError."""
    slots = {str(number): wrapped.hex() for number, wrapped in epochs.slots.items()}
    pin = {"length": epochs.pin[0], "hash": epochs.pin[1]}
    write_durably(folder / NAME, canonical.to_bytes({"format": 1, "slots": slots, "pin": pin}))


def _place(number: int) -> bytes:
    return b"epoch|%d" % number
