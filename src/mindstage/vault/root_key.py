"""The root key: 32 bytes in a file outside the data folder. It wraps epoch keys and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from mindstage.vault.files import make_private_folder, write_durably
from mindstage.vault.sealing import KEY_BYTES, derive

NAME = "root.key"
_MARK = "mindstage-root-key-1"


class KeyMistake(Exception):
    """The keys are missing, wrong or badly placed. Its text is one sentence for the operator."""


def create_root_key(folder: Path) -> bytes:
    """Make the root key of a new instance and write it. Raises OSError, FileExistsError."""
    key = os.urandom(KEY_BYTES)
    write_root_key(folder, key)
    return key


def write_root_key(folder: Path, key: bytes) -> None:
    """Write a root key where there is none. Raises OSError, FileExistsError."""
    path = folder / NAME
    if path.exists() or path.is_symlink():
        raise FileExistsError(path)
    make_private_folder(folder)
    write_durably(path, f"{_MARK}\n{key.hex()}\n".encode())


def read_root_key(folder: Path) -> bytes:
    """The root key. Raises KeyMistake when there is none or the file is not one."""
    path = folder / NAME
    try:
        mark, text = path.read_text().split()
        key = bytes.fromhex(text)
    except FileNotFoundError:
        raise KeyMistake(
            f"The root key is missing: {path} does not exist. Put it back from its safe copy, or type it from your "
            "recovery sheet with `mindstage keys restore`; nothing was changed."
        ) from None
    except (ValueError, OSError):
        raise KeyMistake(f"{path} cannot be read as a root key; nothing was changed.") from None
    if mark != _MARK or len(key) != KEY_BYTES:
        raise KeyMistake(f"{path} is not a root key of Mindstage; nothing was changed.")
    return key


def framework_secret(folder: Path) -> str:
    """The secret that Django's own signatures use: derived, so that there is no second secret file.

    Without a root key (checks, the first start) it is random and lasts as long as the process.
    """
    try:
        return derive(read_root_key(folder), "django").hex()
    except KeyMistake:
        return os.urandom(KEY_BYTES).hex()
