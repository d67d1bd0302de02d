"""Metadata is data: where an identifier of somebody who was erased still stands, and what is kept of them."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

from mindstage.datamap.scanner import Needles
from mindstage.ops.census.hoard import DATABASE, KEYSTORE
from mindstage.ops.census.places import open_to_read, read_columns

_COUNTED: Final = {
    "requests that were done (id, three days, hash of the receipt)": (
        DATABASE,
        "SELECT COUNT(*) FROM rights_erasurerequest",
    ),
    "reserved handles (keyed tag, day)": (KEYSTORE, "SELECT COUNT(*) FROM vault_reservedhandle"),
}
LEDGER: Final = "entries of the ledger (kind, keyed tag, day)"
RECEIPTS: Final = "sealed receipts"


def count_kept(instance: Path) -> dict[str, int]:
    """How much of each kind is kept about those who are gone. Raises OSError, sqlite3.Error."""
    kept = {}
    for name, (file, query) in _COUNTED.items():
        with closing(open_to_read(instance / file)) as opened:
            kept[name] = int(opened.execute(query).fetchone()[0])
    lines = (instance / "data/ledger/ledger.jsonl").read_bytes().splitlines()
    kept[LEDGER] = sum(json.loads(line).get("kind") == "person" for line in lines)
    kept[RECEIPTS] = len(list(instance.glob("data/ledger/receipts/*")))
    return kept


def find_idents(
    instance: Path, idents: Iterable[uuid.UUID], elsewhere: Iterable[tuple[str, bytes]] = ()
) -> Counter[str]:
    """Place -> how many of these identifiers stand there, as text or as bytes. Raises OSError, sqlite3.Error."""
    needles = Needles((shape, ident) for ident in idents for shape in _shapes(ident))
    found: Counter[str] = Counter()
    for path in sorted(path for path in instance.rglob("*") if path.is_file()):
        name = str(path.relative_to(instance))
        _count(path.read_bytes(), name, needles, found)
        if path.suffix == ".sqlite3":
            for column, values in read_columns(path):
                _count(values, f"{name}: {column}", needles, found)
    for name, content in elsewhere:
        _count(content, name, needles, found)
    return found


def _shapes(ident: uuid.UUID) -> tuple[bytes, bytes, bytes]:
    return ident.hex.encode(), str(ident).encode(), ident.bytes


def _count(content: bytes, place: str, needles: Needles[uuid.UUID], found: Counter[str]) -> None:
    if number := len(set(needles.found_in(content))):
        found[place] += number
