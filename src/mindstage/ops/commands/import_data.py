"""`mindstage import-data FILE --user HANDLE`: bring an export of Mindstage, of any size, into somebody's account."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mindstage.ops.instance import Instance

REFUSED = 1
"""The exit code when nothing was brought in."""
NOT_WRITTEN = "The database is busy, or its disk is full. Nothing was brought in; try again in a moment."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the archive that a person took out of a Mindstage")
    parser.add_argument("--user", required=True, metavar="HANDLE", help="whose account it comes into")


def run(options: argparse.Namespace, instance: Instance) -> int:
    import django

    django.setup()
    from mindstage.ops.opening import open_instance

    open_instance(instance, nothing="Nothing was brought in.")
    said, code = bring(options.file, options.user)
    print("\n".join(said), file=sys.stderr if code else sys.stdout)
    return code


def bring(file: Path, handle: str) -> tuple[list[str], int]:
    """Bring in the archive in `file`: what to say (nothing out of it but its files' names), and the exit code."""
    from django.db import DatabaseError

    from mindstage.datamap.porting import NotUnderstood
    from mindstage.ops.commands.import_ import _find_owner
    from mindstage.rights.importing import bring_archive
    from mindstage.vault.keys import KeyGone

    owner = _find_owner(handle)
    if owner is None:
        return ["There is no account with that handle on this instance. Nothing was brought in."], REFUSED
    try:
        with file.open("rb") as opened:
            return bring_archive(owner=owner.pk, file=opened).sentences, 0
    except NotUnderstood as refused:
        return [refused.sentence], REFUSED
    except KeyGone:
        return ["That account is no longer active. Nothing was brought in."], REFUSED
    except OSError:
        return ["The file cannot be read: it is missing, a folder, or not yours to open."], REFUSED
    except DatabaseError:
        return [NOT_WRITTEN], REFUSED
