"""`mindstage census`: plant words in an instance made for it, erase half of its people, and look for what is left."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mindstage.ops.instance import Instance

if TYPE_CHECKING:
    from mindstage.ops.census.report import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the signed report as JSON")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the instance in this new folder and keep it")
    parser.add_argument(
        "--users", type=int, default=2, metavar="N", help="how many people; every second one is erased (default: 2)"
    )
    parser.add_argument(
        "--no-erasure", action="store_true", help="only plant and look: quicker, and says nothing about erasure"
    )
    parser.add_argument(
        "--on-server",
        action="store_true",
        help="in databases of its own on the PostgreSQL server of this instance; they are dropped in the end",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the signed report to this file too")


def run(options: argparse.Namespace, instance: Instance) -> int:
    """0: nothing was found. 1: something was. 2: the census is void, or could not be taken."""
    import django

    django.setup()
    report = _take(options, instance)
    signed = sign_report(report, instance)
    if options.report:
        _write(options.report, signed)
    print(json.dumps(signed, indent=2) if options.json else "\n".join(report.lines()))
    if instance.database_url and not options.on_server:
        print("It was taken on files. This instance lies on a server: see --on-server.", file=sys.stderr)
    return report.exit_code


def _take(options: argparse.Namespace, instance: Instance) -> Report:
    from mindstage.ops.census.census import take_census
    from mindstage.ops.mistakes import StartMistake

    asked: dict[str, Any] = {"users": options.users, "to_the_end": not options.no_erasure}
    if options.on_server:
        asked["server"] = instance.database_url
        if not instance.database_url:
            raise StartMistake("--on-server: the database of this instance lies on no server; leave the option out.")
    if options.keep is None:
        with tempfile.TemporaryDirectory(prefix="mindstage-census-") as folder:
            return take_census(Path(folder), **asked)
    try:
        options.keep.mkdir(mode=0o700, parents=True)
    except OSError:
        raise StartMistake(f"{options.keep} cannot be made, or is there already; name a new folder.") from None
    return take_census(options.keep.absolute(), **asked)


def sign_report(report: Report, instance: Instance) -> dict[str, Any]:
    """With the key of the instance that this machine has; else with that of the one that the census made."""
    from mindstage.ledger.signed import sign_json

    seed, whose = report.signing_seed, "the instance that the census made"
    if own := _own_seed(instance):
        seed, whose = own, "this instance"
    said = report.as_json() | {"signed_by": whose if seed else "nobody"}
    return sign_json(said, seed=seed) if seed else said


def _own_seed(instance: Instance) -> bytes:
    """Reads the keystore and touches nothing; b"" where there is no instance."""
    from django.db import DatabaseError

    from mindstage.ops.reading_files import exists
    from mindstage.ops.schema import ALIASES
    from mindstage.vault.keys import KeyGone, instance_key
    from mindstage.vault.root_key import KeyMistake

    with suppress(KeyMistake, KeyGone, KeyError, DatabaseError, OSError):
        if all(exists(instance, alias) for alias in ALIASES):
            return instance_key("receipt")
    return b""


def _write(file: Path, signed: dict[str, Any]) -> None:
    from mindstage.kit import canonical
    from mindstage.ops.mistakes import StartMistake

    try:
        file.write_bytes(canonical.to_bytes(signed))
    except OSError:
        raise StartMistake(f"{file} cannot be written; the census was taken and its report is lost.") from None
