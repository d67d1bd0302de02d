"""`mindstage import FILE --user HANDLE`: bring a character card into somebody's library."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mindstage.ops.instance import Instance

if TYPE_CHECKING:
    from mindstage.accounts.models import User

REFUSED = 1
"""The exit code when nothing was imported."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a character card: JSON, or a PNG picture with one inside"
    )
    parser.add_argument("--user", required=True, metavar="HANDLE", help="whose library it comes into")


def run(options: argparse.Namespace, instance: Instance) -> int:
    import django

    django.setup()
    from mindstage.ops.opening import open_instance

    open_instance(instance, nothing="Nothing was imported.")
    said, code = bring(options.file, options.user)
    print("\n".join(said), file=sys.stderr if code else sys.stdout)
    return code


def bring(file: Path, handle: str) -> tuple[list[str], int]:
    """Bring the card in `file` to the person `handle`: what to say (nothing out of the card), and the exit code."""
    from django.db import DatabaseError

    from mindstage.library.cards import CardRefused
    from mindstage.library.characters import import_character, open_report
    from mindstage.vault.keys import KeyGone

    owner = _find_owner(handle)
    if owner is None:
        return ["There is no account with that handle on this instance. Nothing was imported."], REFUSED
    try:
        character = import_character(owner=owner.pk, data=_read(file), filename_hint=file.name)
    except CardRefused as refused:
        return [refused.sentence], REFUSED
    except KeyGone:
        return ["That account is no longer active. Nothing was imported."], REFUSED
    except OSError:
        return [
            "The file cannot be read: it is missing, a folder, or not yours to open. Nothing was imported."
        ], REFUSED
    except DatabaseError:
        return ["The database is busy, or its disk is full. Nothing was imported; try again in a moment."], REFUSED
    return ["The character is in their library now.", *open_report(character)], 0


def _find_owner(handle: str) -> User | None:
    from mindstage.accounts.handles import handle_tag
    from mindstage.accounts.models import User

    return User.objects.filter(handle_tag=handle_tag(handle), state=User.State.ACTIVE).first()


def _read(file: Path) -> bytes:
    """The file, up to one byte more than a card may have: the reader of cards says that it is too large."""
    from mindstage.library.uploads import LIMIT

    with file.open("rb") as opened:
        return opened.read(LIMIT + 1)
