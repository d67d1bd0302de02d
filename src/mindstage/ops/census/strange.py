"""What lies in an instance's folder and should not, whatever it says: files of no known kind, and pictures in clear.

A picture holds no word, so that a thumbnail left behind is invisible to a search for words. It is found by its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from mindstage.ops.census.nights import MARK

_KNOWN: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"data/database/mindstage\.sqlite3(-wal|-shm|-journal)?",
        r"data/keystore/keystore\.sqlite3(-journal)?",
        r"data/ledger/ledger\.jsonl",
        r"data/ledger/receipts/[0-9a-f]{40}\.sealed",
        r"data/exports/[0-9a-f]{32}\.(export|new)",
        r"data/(mindstage|worker)\.lock",
        r"data-backups/[0-9a-f]{32}\.backup(\.new)?",
        r"data-backups/taking-[^/]+/snapshot(-journal)?",
        r"data-backups/restore-\d{8}T\d{6}Z\.json",
        r"(data-backups|keys-escrow)/keystore/[0-9]{8}-[0-9]{12}-[0-9a-f]{32}\.copy(\.new)?",
        r"keys/(epoch\.json(\.new)?|root\.key|escrow\.made|(night|vault|backup)\.lock)",
        r"keys-escrow/epoch\.json(\.new)?",
        rf"(mindstage\.toml|terminal\.log|{MARK})",
    )
)
"""Every file that the data map's places account for."""
_PICTURES: Final = {
    "WebP": re.compile(rb"RIFF.{4}WEBPVP8[ LX]", re.DOTALL),
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR", re.DOTALL),
    "JPEG": re.compile(rb"\xff\xd8\xff[\xe0\xe1\xdb].{2}(JFIF|Exif)", re.DOTALL),
    "GIF": re.compile(rb"GIF8[79]a"),
    "AVIF": re.compile(rb"ftyp(avif|avis|heic)"),
}


def find_strange_files(names: Iterable[str]) -> set[str]:
    """Those that no place of the data map accounts for; names are paths inside the instance's folder."""
    return {name for name in names if not any(known.fullmatch(name) for known in _KNOWN)}


def find_pictures(content: bytes) -> set[str]:
    """The kinds of pictures that begin somewhere in these bytes."""
    return {kind for kind, head in _PICTURES.items() if head.search(content)}
