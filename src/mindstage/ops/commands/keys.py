"""`mindstage keys`: the root key on paper, and back from it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mindstage.kit.words import as_typed
from mindstage.ops.instance import Instance

REFUSED = 1
"""The exit code when what was typed is not what stands on the sheet."""
PAGES = (".html", ".htm")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    sheet = acts.add_parser("sheet", help="make a recovery sheet of the root key, to be printed and put away")
    where = "where to: a page for .html, else text. To the terminal when left out, which may keep what it shows"
    sheet.add_argument("file", nargs="?", type=Path, metavar="FILE", help=where)
    restore = "the root key is lost: put it back from the sheet. Asks for its lines, or reads them from a pipe"
    acts.add_parser("restore", help=restore)


def run(options: argparse.Namespace, instance: Instance) -> int:
    """0: done. 1: a line was mistyped. 2: a mistake in the set-up, nothing was changed."""
    import django

    django.setup()
    return _sheet(options.file, instance) if options.act == "sheet" else _restore(instance)


def _sheet(place: Path | None, instance: Instance) -> int:
    from mindstage.ops.sheets import make_sheet, note_sheet_made, refuse_place, write_sheet

    if place is not None:
        refuse_place(place, instance)
    sheet = make_sheet(instance, as_page=place is not None and place.suffix.lower() in PAGES)
    if place is None:
        print(sheet, flush=True)
    else:
        write_sheet(sheet, place, instance)
        print(f"The recovery sheet is in {place}. Print it, put it away from this machine, and delete the file.")
    note_sheet_made(instance)
    return 0


def _restore(instance: Instance) -> int:
    from mindstage.ops.sheets import epochs_to_open, put_back, refuse_present_key
    from mindstage.vault.recovery_sheet import Mistyped, read_sheet

    refuse_present_key(instance)
    epochs_to_open(instance)
    try:
        key = _ask() if sys.stdin.isatty() else read_sheet(sys.stdin.read())
    except EOFError:
        print("\nNothing was changed.", file=sys.stderr)
        return REFUSED
    except Mistyped as mistyped:
        print(f"{mistyped} Nothing was changed.", file=sys.stderr)
        return REFUSED
    print(f"The root key is back in {put_back(key, instance)}, and opens the epoch file.")
    print(as_typed("Go on with `mindstage serve`."))
    return 0


def _ask() -> bytes:
    """Line by line; one that is mistyped is asked for again. Raises EOFError when its giver ends."""
    from mindstage.vault.recovery_sheet import LINES

    print(f"Type the {LINES} lines of the sheet, three groups each. Blanks and capitals do not matter; Ctrl-D ends.")
    return b"".join(_ask_for(number) for number in range(1, LINES + 1))


def _ask_for(number: int) -> bytes:
    from mindstage.vault.recovery_sheet import Mistyped, read_line

    while True:
        try:
            return read_line(number, input(f"{number}: ").removeprefix(f"{number}:"))
        except Mistyped as mistyped:
            print(mistyped)
