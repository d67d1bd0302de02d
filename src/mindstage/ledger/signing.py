"""Sign what people take away with them, so that anybody can check it offline: Ed25519 (RFC 8032)."""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "Ed25519"
KEY_BYTES = 32


def public_key(seed: bytes) -> bytes:
    """The 32 bytes that check what the holder of `seed` (32 bytes) signed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(content: bytes, *, seed: bytes) -> bytes:
    """A signature of 64 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(content)


def is_signed(content: bytes, signature: bytes, *, key: bytes) -> bool:
    """Whether `signature` is one of `content` by the holder of the public `key`."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(key: bytes) -> str:
    """A public key for people to compare: the first 16 bytes of its SHA-256, in groups of four digits."""
    digits = hashlib.sha256(key).hexdigest()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, 32, 4))


def to_text(value: bytes) -> str:
    """Base64, as keys and signatures stand in JSON."""
    return base64.b64encode(value).decode()


def from_text(text: str) -> bytes:
    """The inverse. Raises ValueError."""
    return base64.b64decode(text, validate=True)
