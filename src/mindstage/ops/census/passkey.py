"""An authenticator that makes one passkey and shows none: a census needs its name, not what it opens."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64encode
from typing import Any, Final

from fido2 import cbor

_PRESENT_VERIFIED_ATTACHED: Final = 0x45
_POINT: Final = (
    bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
    bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
)
"""The base point of P-256: a public key that everybody knows the other half of. It opens an account of a census."""


def make_passkey(options: dict[str, Any], *, origin: str) -> dict[str, Any]:
    """What a browser at `origin` answers to a request for a new passkey, without attestation (WebAuthn level 3)."""
    asked = options["publicKey"]
    said = json.dumps({"type": "webauthn.create", "challenge": asked["challenge"], "origin": origin}).encode()
    ident = os.urandom(16)
    key = cbor.encode({1: 2, 3: -7, -1: 1, -2: _POINT[0], -3: _POINT[1]})
    data = (
        hashlib.sha256(asked["rp"]["id"].encode()).digest()
        + bytes((_PRESENT_VERIFIED_ATTACHED,))
        + bytes(4 + 16)
        + len(ident).to_bytes(2)
        + ident
        + key
    )
    attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
    return {
        "id": _text(ident),
        "rawId": _text(ident),
        "type": "public-key",
        "response": {"clientDataJSON": _text(said), "attestationObject": _text(attestation)},
        "clientExtensionResults": {},
    }


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
