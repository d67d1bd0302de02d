"""Accounts and sessions. A handle stands nowhere in clear: sealed in one column, found by a keyed tag in another."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from mindstage.kit import clock, ids
from mindstage.vault.fields import SealedField, SealedRow


class AgeBand(models.TextChoices):
    """What is kept of a person's age. Under 13 is refused before anything is stored, so it has no value here."""

    TEEN = "13_17", "13 to 17"
    ADULT = "18_plus", "18 or over"


class User(SealedRow, AbstractBaseUser):
    """One account. `password` (Django's name) holds the Argon2id check of the passphrase."""

    class State(models.TextChoices):
        ACTIVE = "active"
        FROZEN = "frozen"

    keyed_to: ClassVar[str] = "id"
    by_account: ClassVar[bool] = True
    last_login = None  # a column of it would keep the moment of every visit

    id = models.UUIDField(primary_key=True, default=ids.unordered)
    handle_tag = models.BinaryField(max_length=32, unique=True)
    handle = SealedField(entry="handle")
    age_band = models.CharField(max_length=8, choices=AgeBand.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.ACTIVE)
    owner = models.BooleanField(default=False)
    """The one who signed up by the owner link: may install models and read the instance's health."""
    joined_on = models.DateField(default=clock.today)
    passphrase_on = models.DateField(default=clock.today)

    USERNAME_FIELD = "handle_tag"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return "an account"

    def __repr__(self) -> str:
        return "<User>"

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # the base class has a plain attribute
        return self.state == self.State.ACTIVE


class Session(models.Model):
    """One signed-in browser, named by a hash of its cookie.

    `payload` opens with the cookie alone and holds the check of the passphrase at sign-in. `device` is a coarse class,
    under the person's own key, so that they can recognise their other browsers.
    """

    key_hash = models.BinaryField(max_length=32, primary_key=True)
    account = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    payload = SealedField(entry="session")
    device = SealedField(entry="session")
    born = models.DateTimeField(default=clock.now)
    seen = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["born"])]

    @property
    def ident(self) -> uuid.UUID:
        """A name for this row in addresses and bindings: half of the hash, which opens nothing."""
        return uuid.UUID(bytes=bytes(self.key_hash)[:16])


class OwnerLink(models.Model):
    """The hash of the one-time link that makes its user the owner of this instance. Gone once used."""

    key_hash = models.BinaryField(max_length=32, primary_key=True)
    made_on = models.DateField(default=clock.today)
