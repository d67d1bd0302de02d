"""An envelope that anybody may close and only the holder of a claim code opens.

The code is 125 random bits, shown once. From it comes an X25519 key (RFC 7748); its public half stays here, so that
what is not known yet when the code is given out can be sealed to it later, when nothing of the person is left.
"""

from __future__ import annotations

import hashlib
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letter that is taken for a digit."""
GROUPS, GROUP = 5, 5
_NONCE = 12
_LOOKALIKES = str.maketrans("OIL", "011")


class Shut(Exception):
    """The code does not open this envelope, or the envelope was changed."""


def make_claim_code() -> str:
    """Five groups of five signs."""
    signs = [secrets.choice(ALPHABET) for _ in range(GROUPS * GROUP)]
    return "-".join("".join(signs[at : at + GROUP]) for at in range(0, len(signs), GROUP))


def plain_code(typed: str) -> str:
    """A code as somebody typed it, in its one spelling; "" when it cannot be one."""
    signs = "".join(sign for sign in typed[:200].upper().translate(_LOOKALIKES) if not (sign.isspace() or sign == "-"))
    return signs if len(signs) == GROUPS * GROUP and set(signs) <= set(ALPHABET) else ""


def code_hash(code: str) -> bytes:
    """What is kept to find a code again: 32 bytes, from which it cannot be found (125 bits are not guessed)."""
    return hashlib.sha256(b"claim|" + plain_code(code).encode()).digest()


def claim_nonce(code: str) -> bytes:
    """The secret half of the commitment to a handle: whoever holds the code can open it, and nobody else."""
    return _derive(plain_code(code).encode(), b"commitment")


def commit(handle: str, nonce: bytes) -> bytes:
    """A commitment to a handle: SHA-256 of nonce and handle."""
    return hashlib.sha256(nonce + b"|" + handle.encode()).digest()


def envelope_key(code: str) -> bytes:
    """The public half, 32 bytes: closes envelopes, opens none."""
    return _private(code).public_key().public_bytes_raw()


def close_envelope(content: bytes, *, key: bytes) -> bytes:
    """Seal `content` to a public key: a fresh X25519 key, HKDF-SHA256, AES-256-GCM."""
    once = X25519PrivateKey.generate()
    shared = once.exchange(X25519PublicKey.from_public_bytes(key))
    head = once.public_key().public_bytes_raw()
    nonce = os.urandom(_NONCE)
    return head + nonce + AESGCM(_derive(shared, head + key)).encrypt(nonce, content, b"envelope")


def open_envelope(sealed: bytes, *, code: str) -> bytes:
    """What was sealed. Raises Shut."""
    try:
        private, head = _private(code), sealed[:32]
        shared = private.exchange(X25519PublicKey.from_public_bytes(head))
        cipher = AESGCM(_derive(shared, head + private.public_key().public_bytes_raw()))
        return cipher.decrypt(sealed[32 : 32 + _NONCE], sealed[32 + _NONCE :], b"envelope")
    except (InvalidTag, ValueError):
        raise Shut from None


def _private(code: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(_derive(plain_code(code).encode(), b"envelope"))


def _derive(secret: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
