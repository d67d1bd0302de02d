"""The root key on paper: eight lines, each with a check of its own, so that a typing error is found by its line.

Pure, but for the day on which a sheet was made, which stands beside the root key. docs/subsystems/keys.md
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

from mindstage.vault.files import write_durably
from mindstage.vault.sealing import KEY_BYTES

LINES: Final = 8
MADE: Final = "sheet.made"
"""Beside the root key: the day of the newest sheet, and nothing of what stands on it."""

_PER_LINE: Final = KEY_BYTES // LINES
_CHECK_BYTES: Final = 2
_MISREAD: Final = str.maketrans({"o": "0", "i": "1", "l": "1", " ": "", "-": "", ".": "", "\t": ""})
"""What is easily typed for a digit; no hexadecimal digit looks like another beyond these."""


class Mistyped(ValueError):
    """A line is not what the sheet says. `line` counts from 1; its text never repeats what was typed."""

    def __init__(self, line: int) -> None:
        super().__init__(f"Line {line} is not as it stands on the sheet: look at its digits again.")
        self.line = line


def sheet_lines(root: bytes) -> list[str]:
    """The root key (32 bytes) as eight lines: two groups of four hexadecimal digits, and a third that checks them."""
    return [_to_line(number, part) for number, part in enumerate(_parts(root), start=1)]


def read_line(number: int, typed: str) -> bytes:
    """The bytes of one typed line, `number` from 1. Raises Mistyped. Case, blanks and o for 0 are forgiven."""
    try:
        content = bytes.fromhex(typed.strip().lower().translate(_MISREAD))
    except ValueError:
        raise Mistyped(number) from None
    part, check = content[:_PER_LINE], content[_PER_LINE:]
    if len(part) != _PER_LINE or not hmac.compare_digest(check, _check(number, part)):
        raise Mistyped(number)
    return part


def read_sheet(typed: str) -> bytes:
    """The root key from a whole sheet: its lines begin with their number and a colon, other text may stand around them.

    Raises Mistyped for the first line that is wrong, or missing.
    """
    found = dict(_numbered(typed.splitlines()))
    return b"".join(read_line(number, found.get(number, "")) for number in range(1, LINES + 1))


def note_sheet(folder: Path, day: date) -> None:
    """Remember beside the root key that a sheet was made. Raises OSError."""
    write_durably(folder / MADE, f"{day.isoformat()}\n".encode())


def sheet_made_on(folder: Path) -> date | None:
    """The day of the newest sheet; None while there is none."""
    try:
        return date.fromisoformat((folder / MADE).read_text().strip())
    except (OSError, ValueError):
        return None


def _numbered(lines: Iterable[str]) -> Iterable[tuple[int, str]]:
    for line in lines:
        number, colon, rest = line.strip().partition(":")
        if colon and number.isascii() and number.isdigit():
            yield int(number), rest


def _parts(root: bytes) -> Iterable[bytes]:
    return (root[at : at + _PER_LINE] for at in range(0, KEY_BYTES, _PER_LINE))


def _to_line(number: int, part: bytes) -> str:
    digits = (part + _check(number, part)).hex()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def _check(number: int, part: bytes) -> bytes:
    """Bound to the line's number, so that two lines that changed places are found as well."""
    return hashlib.sha256(b"mindstage-sheet-1|%d|" % number + part).digest()[:_CHECK_BYTES]
