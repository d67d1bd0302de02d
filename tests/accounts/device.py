"""A device that keeps one passkey, in software: what a browser would hand on of it, without a browser."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

HERE = {"Host": "localhost:8470"}
FLAG = AuthenticatorData.FLAG


class Device:
    """Says yes to everything. `names_its_owner`: False for the kind that leaves out whose its passkey is.

    `asks_who`: False for one that signs for whoever touches it, without asking for a PIN or a finger.
    """

    def __init__(self, *, names_its_owner: bool = True) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id, self.owner, self.count = secrets.token_bytes(16), b"", 0
        self.names_its_owner, self.asks_who, self.counts = names_its_owner, True, True

    def walk(self, client: Client, what: str, **fields: str) -> Any:
        """A whole ceremony in this browser, and the program's last answer."""
        begun = client.post("/passkey/options/", {"what": what, **fields}, headers=HERE).json()["publicKey"]
        answer = self.make(begun) if "user" in begun else self.show(begun)
        return client.post("/passkey/", {"credential": json.dumps(answer)}, headers=HERE)

    def make(self, options: Any) -> dict[str, Any]:
        """A new passkey."""
        self.owner = websafe_decode(options["user"]["id"])
        kept = AttestedCredentialData.create(bytes(16), self.id, ES256.from_cryptography_key(self.key.public_key()))
        data = self._data(options["rp"]["id"], FLAG.AT, kept)
        said = self._said("webauthn.create", options)
        return self._answer(clientDataJSON=said, attestationObject=AttestationObject.create("none", data, {}))

    def show(self, options: Any) -> dict[str, Any]:
        """The passkey, which signs what it was asked."""
        self.count += self.counts
        data, said = self._data(options["rpId"], FLAG(0)), self._said("webauthn.get", options)
        signature = self.key.sign(data + said.hash, ec.ECDSA(hashes.SHA256()))
        answer = self._answer(clientDataJSON=said, authenticatorData=data, signature=signature, userHandle=self.owner)
        if not self.names_its_owner:
            answer["response"]["userHandle"] = None
        return answer

    def _data(self, host: str, more: FLAG, kept: bytes = b"") -> AuthenticatorData:
        flags = FLAG.UP | more | (FLAG.UV if self.asks_who else FLAG(0))
        return AuthenticatorData.create(hashlib.sha256(host.encode()).digest(), flags, self.count, kept)

    def _said(self, kind: str, options: Any) -> CollectedClientData:
        return CollectedClientData.create(kind, options["challenge"], f"http://{HERE['Host']}")

    def _answer(self, **parts: bytes) -> dict[str, Any]:
        ident = websafe_encode(self.id)
        response = {name: websafe_encode(part) for name, part in parts.items()}
        return {"id": ident, "rawId": ident, "type": "public-key", "response": response}
