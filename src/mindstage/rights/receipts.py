"""The receipt of an erasure: canonical JSON, signed, sealed so that only the claim code opens it.

It is a signed claim with a proof that the ledger holds the entry, not a proof of absence, and it says so. It is kept
beside the ledger for 30 days, then its hash alone. docs/subsystems/erasure.md
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from mindstage.gateway.sendings import list_sent
from mindstage.kit import canonical
from mindstage.ledger import signing
from mindstage.ledger.book import Chain, Kind
from mindstage.ledger.envelopes import Shut, close_envelope, code_hash, open_envelope, plain_code
from mindstage.ledger.receipts import FORMAT
from mindstage.ledger.signed import sign_json
from mindstage.rights.requests import ErasureRequest
from mindstage.vault.clocks import slow_date
from mindstage.vault.ending import RESERVED
from mindstage.vault.files import make_private_folder, write_durably
from mindstage.vault.keys import instance_key
from mindstage.vault.models import BackupKey

KEPT: Final = timedelta(days=30)
SAYS: Final = (
    "This is a claim, signed by the instance that made it, with the place of its entry in the instance's ledger. It is "
    "not a proof that no copy exists anywhere: no program can see copies that were taken of its machine."
)


class NoReceipt(Exception):
    """There is no receipt for this code: not yet, not any more, or it never was one."""


def went_out(account: uuid.UUID) -> Iterable[dict[str, str]]:
    """Providers that received parts of a person's stories: none can be told to delete, so their terms are listed."""
    for sent in list_sent(account):
        yield {
            "who": sent.provider,
            "where": sent.place or "not stated",
            "keeps": sent.keeps or "not stated",
            "trains": sent.trains or "not stated",
            "first_on": sent.first_on.isoformat(),
            "last_on": sent.last_on.isoformat(),
            "requests": f"{sent.requests}",
            "ends_on": sent.ends_on.isoformat() if sent.ends_on else "not stated",
            "deletion": "providers offer no way to delete; what they hold ends by the terms named here",
        }


def inclusion(chain: Chain, tag: str) -> dict[str, Any]:
    """Where the ledger says it: the number of the entry, its line, and the head after it."""
    at = next(at for at, entry in enumerate(chain.entries) if entry.kind is Kind.PERSON and entry.tag == tag)
    return {
        "entry": chain.base + at + 1,
        "line": chain.entries[at].to_line().decode(),
        "head": chain.hashes[at + 1],
        "length": chain.head.length,
    }


def closing_facts() -> dict[str, Any]:
    """What a receipt says of the day on which it is made: kept with the request, so that it is made once."""
    return {"completed_on": slow_date().isoformat(), "backups": _backups()}


def issue_receipt(row: ErasureRequest) -> str:
    """Sign the receipt of a finished erasure and leave it, sealed, for whoever has the code; its SHA-256.

    Made again from the same facts it is the same, byte for byte. One from before a restore is replaced: the restored
    rows were cleared once more, and the hash that stays is that of the receipt that can be fetched.
    """
    receipt = sign_json(_content(row), seed=receipt_seed())
    folder = settings.MINDSTAGE.receipts_dir
    make_private_folder(folder)
    content = canonical.to_bytes(receipt)
    if row.claim_hash is not None:
        write_durably(_file(bytes(row.claim_hash)), close_envelope(content, key=bytes(row.envelope_key)))
    return hashlib.sha256(content).hexdigest()


def _content(row: ErasureRequest) -> dict[str, Any]:
    day = date.fromisoformat(row.facts["completed_on"])
    found = row.facts.get("found", {})
    return {
        "format": FORMAT,
        "id": str(row.id),
        "instance": settings.MINDSTAGE.name,
        "requested_on": row.requested_on.isoformat(),
        "completed_on": day.isoformat(),
        "policy_version": row.facts.get("policy"),
        "stores": [{"store": place, "found": count, "left": 0} for place, count in sorted(found.items())],
        "keys": {"destroyed": True, "epoch": row.died_in, "epoch_destroyed": True},
        "verification": {"texts_tried": row.facts.get("tried", 0), "texts_opened": 0, "things_left": 0},
        "kept": retained(day, ended_on=ledger_day(row.facts)),
        "backups": row.facts["backups"],
        "went_out": row.facts.get("went_out", []),
        "ledger": row.facts.get("ledger"),
        "commitment": row.commitment,
        "says": SAYS,
    }


def ledger_day(facts: Mapping[str, Any]) -> date:
    """The day of the entry: from it the handle is kept back, however long the epoch then waited to turn."""
    return date.fromisoformat(json.loads(facts["ledger"]["line"])["day"])


def retained(today: date, *, ended_on: date) -> list[dict[str, str]]:
    """The closed list of what stays for a while, each with its ground and its end.

    `today`: the day of the receipt; `ended_on`: the day on which the ledger says that the account ended.
    """
    kept = [
        {
            "what": "this receipt, sealed under the claim code",
            "ground": "so that you can fetch it",
            "ends_on": (today + KEPT).isoformat(),
        },
        {
            "what": "the hash of this receipt",
            "ground": "so that a receipt can be told from a forged one",
            "ends_on": "with the instance",
        },
        {
            "what": "a keyed tag of the handle, and of one that was given up in the 30 days before, which ends sooner",
            "ground": "so that nobody can take it and pose as you",
            "ends_on": (ended_on + RESERVED).isoformat(),
        },
        {
            "what": "a keyed tag in the ledger of erasures",
            "ground": "so that no restored backup brings you back",
            "ends_on": "with the instance",
        },
    ]
    return [one for one in kept if one["ends_on"] > today.isoformat()]  # "with the instance" comes after any day


def _backups() -> list[dict[str, str]]:
    """When the key of each backup that may hold sealed rows is destroyed. Without the person's key they are noise."""
    rows = BackupKey.objects.using("keystore").order_by("destroy_on")
    return [{"backup": str(row.pk), "key_destroyed_on": row.destroy_on.isoformat()} for row in rows]


def receipt_seed() -> bytes:
    """What this instance signs with whatever people take away with them."""
    return instance_key("receipt")


def receipt_key() -> str:
    """The public half, as text: publish it somewhere else too."""
    return signing.to_text(signing.public_key(receipt_seed()))


def fetch_receipt(claim_code: str) -> bytes:
    """The signed receipt, for whoever has the code. Raises NoReceipt."""
    try:
        return open_envelope(_file(code_hash(claim_code)).read_bytes(), code=claim_code)
    except (Shut, OSError):
        raise NoReceipt from None


def has_receipt(claim_code: str) -> bool:
    """Whether there is one: also of an erasure of which a restored backup knows nothing, or not the end."""
    return bool(plain_code(claim_code)) and _file(code_hash(claim_code)).exists()


def purge_old_receipts() -> int:
    """After 30 days the receipt goes and its hash stays; how many went."""
    old = ErasureRequest.objects.filter(completed_on__lte=slow_date() - KEPT).exclude(claim_hash=None)
    for row in old:
        assert row.claim_hash is not None
        _file(bytes(row.claim_hash)).unlink(missing_ok=True)
        ErasureRequest.objects.filter(pk=row.pk).update(claim_hash=None, envelope_key=b"", commitment="")
    return len(old) + _purge_without_row()


def _purge_without_row() -> int:
    """Receipts of which a restored backup knows nothing: they end 30 days after the file was written."""
    known = ErasureRequest.objects.exclude(claim_hash=None).values_list("claim_hash", flat=True)
    kept = {_file(bytes(claim_hash)) for claim_hash in known if claim_hash is not None}
    old = [
        path
        for path in (settings.MINDSTAGE.ledger_dir / "receipts").glob("*.sealed")
        if path not in kept and datetime.fromtimestamp(path.stat().st_mtime, UTC).date() <= slow_date() - KEPT
    ]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _file(claim_hash: bytes) -> Path:
    return Path(settings.MINDSTAGE.receipts_dir) / f"{claim_hash.hex()[:40]}.sealed"
