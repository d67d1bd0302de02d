"""One-time codes of an authenticator app (RFC 6238): the secret is sealed, and no code counts twice."""

from __future__ import annotations

import hmac
import json
import uuid

import pyotp
import segno
from django.db import transaction

from mindstage.accounts.models import Factor, User
from mindstage.accounts.notices import notify
from mindstage.accounts.refused import Refused
from mindstage.kit import clock
from mindstage.vault.purposes import Purpose

STEP = 30
DIGITS = 6
EARLIER_AND_LATER = (0, -1, 1)
"""A phone's clock may be one step off."""


def make_totp_secret() -> str:
    """A new secret: 160 random bits in base32, as RFC 4226 recommends."""
    return pyotp.random_base32()


def totp_address(secret: str, handle: str) -> str:
    """The otpauth: address that an app reads. It holds the secret and the handle, and stands on one page alone."""
    return pyotp.TOTP(secret).provisioning_uri(name=handle, issuer_name="Mindstage")


def draw_totp_address(address: str) -> str:
    """The same for a camera: a QR code as SVG, to stand in the page; a picture of its own would need an address."""
    code = segno.make_qr(address, error="m")
    return code.svg_inline(border=4, svgclass="qr", lineclass=None, omitsize=True, light="#fff", dark="#000")


def turn_on_totp(*, account: User, secret: str, code: str) -> None:
    """From now on a passphrase alone does not log in. Raises Refused unless the app showed its first right code."""
    counter = _counter_of(secret, code, after=-1)
    if counter is None:
        raise Refused("code", "That is not the code of this key. Nothing was changed; please look at the app again.")
    with transaction.atomic():
        User.objects.select_for_update().get(pk=account.pk)
        Factor.objects.filter(account=account, kind=Factor.Kind.TOTP).delete()
        factor = Factor(account=account, kind=Factor.Kind.TOTP)
        factor.seal(sealed=json.dumps({"secret": secret, "last": counter})).save(force_insert=True)
        notify(account=account, text="Logging in with a passphrase now asks for a one-time code as well.")


def turn_off_totp(*, account: User) -> None:
    """Ask for no code any more."""
    with transaction.atomic():
        if Factor.objects.filter(account=account, kind=Factor.Kind.TOTP).delete()[0]:
            notify(account=account, text="One-time codes were turned off.")


def uses_totp(account: uuid.UUID) -> bool:
    """Whether a passphrase alone does not log this account in."""
    return Factor.objects.filter(account=account, kind=Factor.Kind.TOTP).exists()


def spend_totp_code(account: uuid.UUID, code: str) -> bool:
    """Whether this is the code of now; it, and every code before it, is spent by that, in the same locked row."""
    with transaction.atomic():
        factor = Factor.objects.select_for_update().filter(account=account, kind=Factor.Kind.TOTP).first()
        if factor is None:
            return False
        kept = json.loads(factor.open("sealed", Purpose.SIGN_IN))
        counter = _counter_of(kept["secret"], code, after=kept["last"])
        if counter is None:
            return False
        factor.seal(sealed=json.dumps(kept | {"last": counter})).save(update_fields=["sealed"])
        return True


def _counter_of(secret: str, code: str, *, after: int) -> int | None:
    """The 30-second step that a code belongs to, if it is about now and later than `after`."""
    typed = "".join(code.split())[:20].encode()
    here = int(clock.timestamp() // STEP)
    made = [(here + off, pyotp.TOTP(secret).generate_otp(here + off)) for off in EARLIER_AND_LATER]
    found = [counter for counter, right in made if hmac.compare_digest(right.encode(), typed)]
    return next((counter for counter in found if counter > after), None)
