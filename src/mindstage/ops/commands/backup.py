"""`mindstage backup`: take a backup now. It may run beside a running server."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from mindstage.ops.instance import Instance

if TYPE_CHECKING:
    from mindstage.ops.backup import Backup

FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There is nothing to choose: where backups lie stands in mindstage.toml (`backups`)."""


def run(options: argparse.Namespace, instance: Instance) -> int:  # noqa: ARG001 - every command is called alike
    import django

    django.setup()
    from mindstage.ops.backup import BackupFailed
    from mindstage.vault.backup_keys import backup_ends

    _open(instance)
    try:
        backup = _take(instance)
    except BackupFailed as failure:
        print(failure, file=sys.stderr)
        return FAILED
    print(f"{backup.path}  {backup.path.stat().st_size / 1e6:.1f} MB, opens until {backup_ends()[backup.id]}")
    print("The keystore is not in it: its copies lie in the backups folder and beside the escrow.")
    return 0


def _take(instance: Instance) -> Backup:
    from mindstage.ops.backup import BackupUnderWay, back_up

    try:
        return back_up(instance)
    except BackupUnderWay as under_way:
        print(f"{under_way} This one is taken after it.", flush=True)
        return back_up(instance, wait=True)


def _open(instance: Instance) -> None:
    """Refuse what is no open instance: a backup of old files put back would carry the ended on. Raises StartMistake."""
    from mindstage.ops.keys_at_start import open_keys
    from mindstage.ops.mistakes import StartMistake
    from mindstage.ops.reading_files import exists
    from mindstage.ops.schema import ALIASES, pending_migrations, refuse_newer_schema
    from mindstage.ops.starting import refuse_closed_gate, take_lock

    if not all(exists(instance, alias) for alias in ALIASES):
        raise StartMistake(
            "There is no instance here yet; start it once with `mindstage serve`. Nothing was backed up."
        )
    refuse_newer_schema(instance)
    try:
        take_lock(instance.data_dir)
    except StartMistake:
        open_keys(instance)  # a server runs here, and has looked at its start
        return
    if any(pending_migrations(alias) for alias in ALIASES):
        raise StartMistake("Start this version once with `mindstage serve` before you back up. Nothing was backed up.")
    if not refuse_closed_gate():
        raise StartMistake(
            "Old files were put back here; run `mindstage restore --replay` first. Nothing was backed up."
        )
