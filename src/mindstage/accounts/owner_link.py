"""The one-time link that makes whoever signs up by it the owner of this instance. Only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets

from django.db import transaction

from mindstage.accounts.models import OwnerLink


def make_owner_link() -> str:
    """A new token for `/owner/<token>/`, instead of the former. It is shown once and cannot be asked for again."""
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        OwnerLink.objects.all().delete()
        OwnerLink.objects.create(key_hash=_hash(token))
    return token


def is_owner_link(token: str) -> bool:
    """Whether a token is the one that still waits for its owner."""
    return OwnerLink.objects.filter(key_hash=_hash(token)).exists()


def spend_owner_link(token: str) -> bool:
    """Use the link up; False when it was not the living one. Of two at once only one gets True."""
    deleted, _ = OwnerLink.objects.filter(key_hash=_hash(token)).delete()
    return deleted == 1


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
