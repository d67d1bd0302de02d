"""Signed JSON that is taken away: receipts of deletion, reports of a restore or a census, heads of a ledger. One form.

What is signed is the canonical form of everything but `signature`. Pure: to check one needs the file and a public key,
and no instance, database or network.
"""

from __future__ import annotations

import json
from typing import Any, Final

from mindstage.kit import canonical
from mindstage.ledger import signing

RESTORE: Final = "mindstage-restore-1"
"""The format of the report that a restore leaves. That of a receipt stands in `ledger/receipts.py`."""
CENSUS: Final = "mindstage-census-1"
"""That of the report of a census."""
HEAD: Final = "mindstage-head-1"
"""That of the published head of a ledger."""


class NotGenuine(Exception):
    """The file is nothing that was signed, or it was changed, or another key signed it. Its text is a sentence."""


NOTHING_SIGNED: Final = "This file is nothing that Mindstage signs, or a part of it is missing."
NOT_A_KEY: Final = "The key is not one: take it from /.well-known/mindstage-signing-key of the instance that signed."


def sign_json(content: dict[str, Any], *, seed: bytes) -> dict[str, Any]:
    """The same with a signature over its canonical form."""
    return content | {
        "signature": {
            "algorithm": signing.ALGORITHM,
            "key": signing.to_text(signing.public_key(seed)),
            "value": signing.to_text(signing.sign(canonical.to_bytes(content), seed=seed)),
        }
    }


def check_json(content: bytes, *, key: str) -> dict[str, Any]:
    """What a signed file says, if it is whole and the holder of `key` signed it. Raises NotGenuine.

    `key` is base64, or the JSON of the well-known address. The key that the file itself names is never trusted.
    """
    try:
        said = json.loads(content)
        signature = said.pop("signature")
        value, form = signing.from_text(signature["value"]), str(said["format"])
        signed = canonical.to_bytes(said)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotGenuine(NOTHING_SIGNED) from None
    if not form.startswith("mindstage-"):
        raise NotGenuine(NOTHING_SIGNED)
    if not signing.is_signed(signed, value, key=_read_key(key)):
        raise NotGenuine("The signature does not fit: the file was changed, or another instance signed it.")
    return dict(said)


def _read_key(text: str) -> bytes:
    try:
        if text.lstrip().startswith("{"):
            text = str(json.loads(text)["key"])
        key = signing.from_text("".join(text.split()))
    except (ValueError, KeyError, RecursionError):
        raise NotGenuine(NOT_A_KEY) from None
    if len(key) != signing.KEY_BYTES:
        raise NotGenuine(NOT_A_KEY)
    return key
