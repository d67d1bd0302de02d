"""`mindstage backup`: take a backup now. It may run beside a running server."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from mindstage.kit.words import as_typed
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
    from mindstage.ops.opening import open_instance
    from mindstage.vault.backup_keys import backup_ends

    open_instance(instance, nothing="Nothing was backed up.")
    try:
        backup = _take(instance)
    except BackupFailed as failure:
        print(as_typed(str(failure)), file=sys.stderr)
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
