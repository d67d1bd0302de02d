"""Accounts, ways to sign in, sessions. A handle stands nowhere in clear: one column is sealed, another a keyed tag."""

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
        DESTROYING = "destroying"
        """Past the point of no return: nobody can sign in."""

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
    log_outs = models.PositiveIntegerField(default=0)
    """How often all sessions, or all others, were ended at once: a log-in that was half done before goes no further."""

    USERNAME_FIELD = "handle_tag"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return "an account"

    def __repr__(self) -> str:
        return "<User>"

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # the base class has a plain attribute
        return self.state == self.State.ACTIVE

    @property
    def may_sign_in(self) -> bool:
        """A frozen account may: to see that it is frozen, to take everything out, to call the freeze off."""
        return self.state in (self.State.ACTIVE, self.State.FROZEN)


class Session(models.Model):
    """One signed-in browser, named by a hash of its cookie.

    `payload` opens with the cookie alone and holds the check of the passphrase at sign-in. `device` is a coarse class,
    under the person's own key, so that they can recognise their other browsers.
    """

    key_hash = models.BinaryField(max_length=32, primary_key=True)
    account = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    payload = SealedField(entry="session")
    device = SealedField(entry="session")
    proof = SealedField(entry="session", null=True)
    """When this browser last gave a passphrase, a code or a passkey again; opens with the cookie alone."""
    born = models.DateTimeField(default=clock.now)
    seen = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["born"])]

    @property
    def ident(self) -> uuid.UUID:
        """A name for this row in addresses and bindings: half of the hash, which opens nothing."""
        return uuid.UUID(bytes=bytes(self.key_hash)[:16])


class Factor(SealedRow):
    """A way to sign in besides the passphrase. What it is lies sealed, as JSON; see passkeys, totp, recovery_codes."""

    class Kind(models.TextChoices):
        PASSKEY = "passkey"
        TOTP = "totp"
        CODES = "codes"

    keyed_to: ClassVar[str] = "account_id"
    by_account: ClassVar[bool] = True

    id = models.UUIDField(primary_key=True, default=ids.unordered)
    account = models.ForeignKey(User, on_delete=models.CASCADE, related_name="factors")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    sealed = SealedField(entry="factor")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "kind"], condition=~models.Q(kind="passkey"), name="one_totp_and_one_sheet"
            )
        ]


class Doorstep(models.Model):
    """Somebody between two steps of a door: a challenge, or a passphrase that still lacks its code.

    Named by a hash of a cookie of its own, opened by that cookie alone, gone after ten minutes or once used. It is not
    a session: nothing opens with it.
    """

    key_hash = models.BinaryField(max_length=32, primary_key=True)
    payload = SealedField(entry="doorstep")
    born = models.DateTimeField(default=clock.now, db_index=True)


class EmailAddress(SealedRow):
    """A verified address, if the person gave one. Found by a keyed tag, like a handle."""

    keyed_to: ClassVar[str] = "account_id"
    by_account: ClassVar[bool] = True

    account = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="email_address")
    address = SealedField(entry="email")
    address_tag = models.BinaryField(max_length=32, unique=True)


class Notice(SealedRow):
    """One line to the person about their own account: what was changed, on which day."""

    keyed_to: ClassVar[str] = "account_id"
    by_account: ClassVar[bool] = True

    id = models.UUIDField(primary_key=True, default=ids.unordered)
    account = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    text = SealedField(entry="notice")
    made_on = models.DateField(default=clock.today, db_index=True)
    seen = models.BooleanField(default=False)
    """Whether its page was looked at since. A moment of it would keep when somebody visits."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account", "seen"], name="new_notices")]


class OwnerLink(models.Model):
    """The hash of the one-time link that makes its user the owner of this instance. Gone once used."""

    key_hash = models.BinaryField(max_length=32, primary_key=True)
    made_on = models.DateField(default=clock.today)


from mindstage.accounts.access_counts import AccessCount as AccessCount  # noqa: E402 - a table of this room
