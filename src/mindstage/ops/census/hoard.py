"""Old copies of everything, as somebody takes them who has the machine for a moment; and where to look for more."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mindstage.ops.backup import ENDING as BACKUP
from mindstage.rights.export import ENDING as EXPORT

DATABASE: Final = Path("data/database/mindstage.sqlite3")
KEYSTORE: Final = Path("data/keystore/keystore.sqlite3")
COPIES: Final = (Path("data-backups/keystore"), Path("keys-escrow/keystore"))


@dataclass(slots=True)
class Holdings:
    """Whatever can be tried: the folder of the root key, those of epoch files, and files by kind.

    The first of the databases is that of the instance itself.
    """

    root: Path
    epochs: list[Path]
    scratch: Path
    databases: list[Path] = field(default_factory=list)
    keystores: list[Path] = field(default_factory=list)
    copies: list[Path] = field(default_factory=list)
    sealed_files: list[Path] = field(default_factory=list)


def keep_copies(instance: Path, to: Path) -> Path:
    """Copy what lies in data, in backups and in the copies of the keystore; not the epoch file, see keys_left.

    Works beside a running server. Raises OSError, sqlite3.Error.
    """
    for database in (DATABASE, KEYSTORE):
        (to / database).parent.mkdir(parents=True)
        with closing(sqlite3.connect(instance / database)) as source, closing(sqlite3.connect(to / database)) as target:
            source.backup(target)
    for folder in (Path("data/exports"), Path("data/ledger"), Path("data-backups"), COPIES[1]):
        if (instance / folder).is_dir():
            shutil.copytree(instance / folder, to / folder)
    return to


def list_holdings(instance: Path, hoards: Iterable[Path], *, scratch: Path) -> Holdings:
    """What an instance holds now, and what was kept of it before."""
    found = Holdings(instance / "keys", [instance / "keys", instance / "keys-escrow"], scratch)
    for folder in (instance, *hoards):
        found.databases.append(folder / DATABASE)
        found.keystores.append(folder / KEYSTORE)
        found.copies += [path for copies in COPIES for path in (folder / copies).glob("*.copy")]
        found.sealed_files += [*folder.glob(f"data-backups/*{BACKUP}"), *folder.glob(f"data/exports/*{EXPORT}")]
    return found
