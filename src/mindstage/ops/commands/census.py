"""`mindstage census`: plant words in an instance made for it, and look for them in everything that it left behind."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mindstage.ops.instance import Instance

if TYPE_CHECKING:
    from mindstage.ops.census.report import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the instance in this new folder and keep it")


def run(options: argparse.Namespace, instance: Instance) -> int:  # noqa: ARG001 - every command is called alike
    """0: nothing was found. 1: something was. 2: the census is void, or could not be taken."""
    import django

    django.setup()
    report = _take(options.keep)
    if options.json:
        print(json.dumps(report.as_json(), indent=2))
    else:
        print("\n".join(report.lines()))
    return report.exit_code


def _take(keep: Path | None) -> Report:
    from mindstage.ops.census.census import take_census
    from mindstage.ops.mistakes import StartMistake

    if keep is None:
        with tempfile.TemporaryDirectory(prefix="mindstage-census-") as folder:
            return take_census(Path(folder))
    try:
        keep.mkdir(mode=0o700, parents=True)
    except OSError:
        raise StartMistake(f"{keep} cannot be made, or is there already; name a new folder.") from None
    return take_census(keep.absolute())
