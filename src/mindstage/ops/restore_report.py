"""The signed account of a restore: counts, the ledger's head, and no word of anybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from mindstage.kit import canonical, clock
from mindstage.ledger import book
from mindstage.ledger.signed import RESTORE, sign_json
from mindstage.ops.restore import Report
from mindstage.vault.files import make_private_folder, write_durably
from mindstage.vault.keys import instance_key


def write_report(report: Report, folder: Path) -> Path:
    """Write it beside the backups; its path. `mindstage receipt verify` checks it anywhere. Raises OSError."""
    signed = sign_json(describe(report), seed=instance_key("receipt"))
    make_private_folder(folder)
    path = folder / f"restore-{clock.now():%Y%m%dT%H%M%SZ}.json"
    write_durably(path, canonical.to_bytes(signed))
    return path


def describe(report: Report) -> dict[str, Any]:
    """What the signature covers, as canonical JSON."""
    chain = book.read_book(settings.MINDSTAGE.ledger_dir)
    return {
        "format": RESTORE,
        "day": clock.today().isoformat(),
        "what": report.what,
        "entries_replayed": report.replayed,
        "cleared": [{"store": c.store, "method": c.method, "count": c.count} for c in report.cleared],
        "clocks_restarted": report.rearmed,
        "rows_without_key": report.keyless,
        "keys_of_ended": report.keys_of_ended,
        "ledger": {"length": chain.head.length, "hash": chain.head.hash} if chain else None,
    }
