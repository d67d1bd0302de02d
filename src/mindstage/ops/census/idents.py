"""Metadata is data: where an identifier of somebody who was erased still stands, and what the instance keeps of them."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

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


def find_idents(instance: Path, idents: Iterable[uuid.UUID]) -> Counter[str]:
    """Place -> how many of these identifiers stand there, as text or as bytes. Raises OSError, sqlite3.Error."""
    shapes = [(ident.hex.encode(), str(ident).encode(), ident.bytes) for ident in idents]
    found: Counter[str] = Counter()
    for path in sorted(path for path in instance.rglob("*") if path.is_file()):
        name = str(path.relative_to(instance))
        _count(path.read_bytes(), name, shapes, found)
        if path.suffix == ".sqlite3":
            for column, values in read_columns(path):
                _count(values, f"{name}: {column}", shapes, found)
    return found


def _count(content: bytes, place: str, shapes: list[tuple[bytes, bytes, bytes]], found: Counter[str]) -> None:
    number = sum(any(shape in content for shape in three) for three in shapes)
    if number:
        found[place] += number
