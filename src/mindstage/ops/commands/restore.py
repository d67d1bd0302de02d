"""`mindstage restore`: put things back, with the server stopped, and bring nobody back who was erased.

`restore list` alone may run beside a server.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mindstage.kit.words import as_typed, counted
from mindstage.ops.instance import Instance

if TYPE_CHECKING:
    from mindstage.ops.backup import Backup
    from mindstage.ops.restore import Report

REFUSED = 1
"""The exit code when nothing was put back, or the instance is not open after it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", metavar="FILE", help="a backup to go back to; `list` shows those that open")
    what.add_argument(
        "--replay", action="store_true", help="old files lie here: replay what was erased since, then open"
    )
    what.add_argument("--keystore", action="store_true", help="the keystore is lost: take its newest copy")
    what.add_argument("--new-ledger", action="store_true", help="the ledger of erasures is lost: begin a new one")
    what.add_argument("--machine", action="store_true", help="a new machine: root key, escrow and backups are here")
    parser.add_argument("--yes", action="store_true", help="go on without asking")


def run(options: argparse.Namespace, instance: Instance) -> int:
    """Exit code 0: open again; 1: refused, or still closed; 2: a mistake in the set-up."""
    import django

    django.setup()
    from django.db import DatabaseError

    from mindstage.ops.restore import RestoreRefused
    from mindstage.vault.escrow import EscrowAway
    from mindstage.vault.rotation import AnotherTurned

    if options.file == "list":
        return _list(instance)
    _prepare(instance)
    try:
        report = _restore(options, instance)
    except RestoreRefused as refused:
        print(as_typed(str(refused)), file=sys.stderr)
        return REFUSED
    except EscrowAway:
        print("The escrow cannot be reached; put it back in its place and run this again.", file=sys.stderr)
        return REFUSED
    except AnotherTurned:
        print("Another machine has taken over this instance; nothing was changed here.", file=sys.stderr)
        return REFUSED
    except OSError as failure:
        print(f"A file cannot be read or written ({failure.strerror}); see to it and run this again.", file=sys.stderr)
        return REFUSED
    except DatabaseError:
        print(
            "The database cannot be written to: it is locked, its disk is full, or its server is away or gives no "
            "right to make a schema. See to it and run this again.",
            file=sys.stderr,
        )
        return REFUSED
    return _say(report, instance)


def _prepare(instance: Instance) -> None:
    """Folders, the lock, the schema of what is there. A database that is missing is not made."""
    from django.core.management import call_command

    from mindstage.ops.reading_files import read_rows
    from mindstage.ops.schema import ALIASES, refuse_newer_schema
    from mindstage.ops.starting import A_COMMAND, make_folders, refuse_unwritable, take_lock
    from mindstage.vault.root_key import read_root_key

    refuse_unwritable(instance)
    refuse_newer_schema(instance)
    read_root_key(instance.keys_dir)
    make_folders(instance)
    take_lock(instance.data_dir, what=A_COMMAND)
    for alias in ALIASES:
        if read_rows(instance, alias, "SELECT 1 FROM django_migrations LIMIT 1"):
            call_command("migrate", database=alias, verbosity=0, interactive=False, skip_checks=True)


def _restore(options: argparse.Namespace, instance: Instance) -> Report:
    from mindstage.accounts.handles import tag_of_account
    from mindstage.ops.disasters import begin_new_ledger, restore_machine
    from mindstage.ops.restore import choose_copy, replay, restore_database, restore_keystore

    if options.machine:
        _refuse_used_machine(instance)
        return restore_machine(handle_of=tag_of_account)
    if options.keystore:
        path, copy = choose_copy()
        return restore_keystore(path, copy, handle_of=tag_of_account, agree=lambda lost: options.yes or _agree(lost))
    _refuse_lost(instance, "keystore", "restore it first: `mindstage restore --keystore`")
    if options.file:
        return restore_database(_find(options.file, instance), handle_of=tag_of_account)
    _refuse_lost(instance, "default", "restore a backup first: `mindstage restore list` shows them")
    return (replay if options.replay else begin_new_ledger)(handle_of=tag_of_account)


def _refuse_used_machine(instance: Instance) -> None:
    from mindstage.ops.mistakes import StartMistake
    from mindstage.ops.reading_files import read_rows

    if read_rows(instance, "default", "SELECT 1 FROM accounts_user LIMIT 1"):
        raise StartMistake("There are accounts on this machine, so it is no new one; nothing was changed.")


def _refuse_lost(instance: Instance, alias: str, step: str) -> None:
    from mindstage.ops.mistakes import StartMistake
    from mindstage.ops.reading_files import read_rows

    if not read_rows(instance, alias, "SELECT 1 FROM django_migrations LIMIT 1"):
        title = "The keystore" if alias == "keystore" else "The database"
        raise StartMistake(f"{title} is missing; {step}. Nothing was changed.")


def _find(name: str, instance: Instance) -> Backup:
    from mindstage.ops.backup import Backup
    from mindstage.ops.mistakes import StartMistake

    path = Path(name) if Path(name).exists() else instance.backups_dir / name
    backup = Backup(path)
    try:
        backup.id  # noqa: B018 - a backup's name is its identifier
    except ValueError:
        raise StartMistake(f"{name} is no backup of Mindstage: those are called by 32 digits and .backup.") from None
    return backup


def _agree(lost: int) -> bool:
    if not lost:
        return True
    younger = counted(lost, "account, story or other thing", "accounts, stories or other things")
    print(f"Younger than this copy: {younger}. Without a key that stays unreadable.")
    if not sys.stdin.isatty():
        print("Run it again with --yes to go on.")
        return False
    return input("Go on? [y/N] ").strip().lower() in ("y", "yes")


def _list(instance: Instance) -> int:
    """Looks only: with a server beside it, without the keys, and it makes no file."""
    from mindstage.kit.ids import made_at
    from mindstage.ops.backup_list import read_backups

    _refuse_lost(instance, "keystore", "restore it first: `mindstage restore --keystore`")
    backups = read_backups(instance)
    for backup, ends in backups:
        size, taken = backup.path.stat().st_size, made_at(backup.id)
        day = f"taken {taken:%Y-%m-%d %H:%M} UTC" if taken else ""
        print(f"{backup.path}  {size / 1e6:8.1f} MB  {day}  opens until {ends}")
    if not backups:
        print(as_typed(f"No backup in {instance.backups_dir} opens; `mindstage backup` takes one."))
    return 0


def _say(report: Report, instance: Instance) -> int:
    from mindstage.ops.restore_report import write_report
    from mindstage.vault.start_check import Mode

    opened = report.gate.mode is Mode.OPEN
    print(f"Put back: {report.what}.")
    replayed = counted(report.replayed, "entry of the ledger", "entries of the ledger")
    print(f"  {replayed} replayed, {counted(sum(c.count for c in report.cleared), 'row')} cleared")
    if report.rearmed:
        rearmed = counted(
            report.rearmed, "freeze or stay in the trash has its", "freezes and stays in the trash have their"
        )
        print(f"  {rearmed} full time again")
    if report.keyless:
        keyless = counted(report.keyless, "account or item has", "accounts or items have")
        print(f"  {keyless} no key any more: shown as unreadable")
    if opened:
        left = counted(report.keys_of_ended, "key of what was ended is", "keys of what was ended are")
        print(f"  {left} left")
        print(f"Signed report: {write_report(report, instance.backups_dir)}")
        print(as_typed("Start it again with `mindstage serve`."))
    else:
        print(as_typed(report.gate.why), file=sys.stderr)
    return 0 if opened and not report.keys_of_ended else REFUSED
