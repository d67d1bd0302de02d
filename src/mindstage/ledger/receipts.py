"""Check a receipt of deletion. Pure: it needs the file and a public key, and no instance, database or network."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

from mindstage.ledger.envelopes import commit
from mindstage.ledger.signed import NotGenuine, check_json

FORMAT: Final = "mindstage-receipt-1"


def check_receipt(content: bytes, *, key: str) -> dict[str, Any]:
    """What a receipt says, if it is whole and was signed by the holder of `key` (base64). Raises NotGenuine.

    Needs no instance: the ledger's line must also hash to the head that the receipt names.
    """
    receipt = check_json(content, key=key)
    if receipt["format"] != FORMAT:
        raise NotGenuine("This is no receipt of deletion in a form that this program knows; a newer one may read it.")
    refuse_foreign_line(receipt)
    return receipt


def refuse_foreign_line(receipt: dict[str, Any]) -> None:
    """Raises NotGenuine unless the line of the ledger hashes to the head that the receipt names."""
    ledger = receipt.get("ledger")
    line, head = (ledger.get("line"), ledger.get("head")) if isinstance(ledger, dict) else (None, None)
    if hashlib.sha256(str(line).encode()).hexdigest() != head:
        raise NotGenuine("The line of the ledger does not lead to the head that the receipt names.")


def is_about(receipt: dict[str, Any], *, handle: str, nonce: str) -> bool:
    """Whether the receipt's commitment is to this handle: only whoever has the number (hexadecimal) can tell."""
    try:
        secret = bytes.fromhex("".join(nonce.split()))
    except ValueError:
        return False
    return hmac.compare_digest(commit(handle, secret).hex(), str(receipt.get("commitment")))
