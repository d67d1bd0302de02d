"""A device that keeps one passkey, in software: it makes it and shows it as a browser hands that on (WebAuthn level 3).

It is no part of the program's own keys: it stands for what a person holds. So it draws its key beside the vault.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

_FLAG: Final = AuthenticatorData.FLAG
_NO_MODEL: Final = bytes(16)
"""What an authenticator says of its kind when it says nothing (AAGUID)."""


class Device:
    """Says yes to everything, signs with ES256, and counts. `ident`: what it calls its passkey."""

    def __init__(self, ident: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._ident = ident.encode()
        self._owner = b""
        self._count = 0

    def answer(self, options: dict[str, Any], *, origin: str) -> dict[str, Any]:
        """What a browser at `origin` says to these options of the server: a new passkey, or the one that there is."""
        asked = options["publicKey"]
        return self._make(asked, origin) if "user" in asked else self._show(asked, origin)

    def _make(self, asked: dict[str, Any], origin: str) -> dict[str, Any]:
        self._owner = websafe_decode(asked["user"]["id"])
        public = ES256.from_cryptography_key(self._key.public_key())  # type: ignore[no-untyped-call]
        data = self._data(asked["rp"]["id"], AttestedCredentialData.create(_NO_MODEL, self._ident, public))
        said = CollectedClientData.create("webauthn.create", asked["challenge"], origin)
        made = AttestationObject.create("none", AuthenticatorData(data), {})
        return self._answer(clientDataJSON=said, attestationObject=made)

    def _show(self, asked: dict[str, Any], origin: str) -> dict[str, Any]:
        self._count += 1
        data = self._data(asked["rpId"])
        said = CollectedClientData.create("webauthn.get", asked["challenge"], origin)
        signature = self._key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=said, authenticatorData=data, signature=signature, userHandle=self._owner)

    def _data(self, host: str, kept: bytes = b"") -> bytes:
        flags = _FLAG.UP | _FLAG.UV | (_FLAG.AT if kept else _FLAG(0))
        return bytes(AuthenticatorData.create(hashlib.sha256(host.encode()).digest(), flags, self._count, kept))

    def _answer(self, **parts: bytes) -> dict[str, Any]:
        ident = websafe_encode(self._ident)
        response = {name: websafe_encode(part) for name, part in parts.items()}
        return {"id": ident, "rawId": ident, "type": "public-key", "response": response}
