"""Check a receipt of deletion. Pure: it needs the file and a public key, and no instance, database or network."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, Final

from mindstage.kit import canonical
from mindstage.ledger import signing
from mindstage.ledger.envelopes import commit

FORMAT: Final = "mindstage-receipt-1"


class ReceiptBroken(Exception):
    """The file is no receipt, or it was changed, or another key signed it. Its text says which, in a sentence."""


def check_receipt(content: bytes, *, key: str) -> dict[str, Any]:
    """What a receipt says, if it is whole and was signed by the holder of `key` (base64). Raises ReceiptBroken.

    Needs no instance: the ledger's line must also hash to the head that the receipt names.
    """
    try:
        receipt = json.loads(content)
        signature = receipt.pop("signature")
        public, value = signing.from_text("".join(key.split())), signing.from_text(signature["value"])
        form, signed = receipt["format"], canonical.to_bytes(receipt)
        ledger = dict(receipt["ledger"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ReceiptBroken("This file is not a receipt of Mindstage, or a part of it is missing.") from None
    if form != FORMAT:
        raise ReceiptBroken("This receipt has a form that this program does not know; a newer one may read it.")
    if not signing.is_signed(signed, value, key=public):
        raise ReceiptBroken("The signature does not fit: the receipt was changed, or another instance signed it.")
    if hashlib.sha256(str(ledger.get("line")).encode()).hexdigest() != ledger.get("head"):
        raise ReceiptBroken("The line of the ledger does not lead to the head that the receipt names.")
    return dict(receipt)


def is_about(receipt: dict[str, Any], *, handle: str, nonce: str) -> bool:
    """Whether the receipt's commitment is to this handle: only whoever has the number (hexadecimal) can tell."""
    try:
        secret = bytes.fromhex("".join(nonce.split()))
    except ValueError:
        return False
    return hmac.compare_digest(commit(handle, secret).hex(), str(receipt.get("commitment")))
