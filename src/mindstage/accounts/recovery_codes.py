"""Recovery codes: a sheet of ten, shown once, kept as sealed keyed hashes, each good for one use."""

from __future__ import annotations

import hmac
import json
import secrets
import uuid
from contextlib import suppress

from django.db import transaction

from mindstage.accounts.models import Factor, User
from mindstage.accounts.notices import notify
from mindstage.vault.keys import KeyGone, forget_key, instance_key, text_key
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import KEY_BYTES, open_sealed, place, seal, tag

NUMBER = 10
LETTERS = "23456789bcdfghjkmnpqrstvwxz"
"""No vowels, so that no words arise; nothing that looks like something else."""
GROUPS, GROUP = 3, 4
"""12 of 27 letters: 57 bits. Behind a limit of tries, and beyond guessing from the keyed hash."""


def make_recovery_codes(*, account: User, announce: bool = True) -> list[str]:
    """A new sheet; the former one no longer works. The codes are told this once and never again. Raises KeyGone."""
    codes = [_make_code() for _ in range(NUMBER)]
    with transaction.atomic():
        User.objects.select_for_update().get(pk=account.pk)
        Factor.objects.filter(account=account, kind=Factor.Kind.CODES).delete()
        factor = Factor(account=account, kind=Factor.Kind.CODES)
        factor.seal(sealed=json.dumps([_hash(account.pk, code) for code in codes])).save(force_insert=True)
        if announce:
            notify(account=account, text="A new sheet of recovery codes was made; the former one no longer works.")
    return codes


def spend_recovery_code(account: User, typed: str) -> bool:
    """Whether this is an unused code of the account's sheet; by that it is used.

    A wrong code costs the same whether or not there is a sheet, an account, or somebody who was here a minute ago.
    """
    looked_for = _hash(account.pk, typed)
    with transaction.atomic():
        factor = Factor.objects.select_for_update().filter(account=account, kind=Factor.Kind.CODES).first()
        forget_key(account.pk)
        hashes = json.loads(factor.open("sealed", Purpose.SIGN_IN)) if factor else _open_nobodys_sheet(account.pk)
        left = [one for one in hashes if not hmac.compare_digest(one, looked_for)]
        if factor is None or len(left) == len(hashes):
            return False
        factor.seal(sealed=json.dumps(left)).save(update_fields=["sealed"])
        notify(account=account, text=f"A recovery code was used; {len(left)} of {NUMBER} are left.")
        return True


def count_recovery_codes(account: uuid.UUID) -> int:
    """How many codes of the sheet are unused."""
    factor = Factor.objects.filter(account=account, kind=Factor.Kind.CODES).first()
    return len(json.loads(factor.open("sealed", Purpose.SHOW))) if factor else 0


def _open_nobodys_sheet(account: uuid.UUID) -> list[str]:
    """The work of opening a sheet where there is none: a look for a key, two ciphers, ten codes of no use."""
    with suppress(KeyGone):
        text_key(account)
    key, where = secrets.token_bytes(KEY_BYTES), place(Factor._meta.db_table, "sealed", account, account)
    made = json.dumps([secrets.token_hex(KEY_BYTES) for _ in range(NUMBER)])
    found: list[str] = json.loads(open_sealed(key, seal(key, made.encode(), where), where))
    return found


def _make_code() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(GROUPS))


def _hash(account: uuid.UUID, code: str) -> str:
    """HMAC-SHA256 under the instance's look-up key, in hexadecimal; case, spaces and hyphens do not count."""
    plain = "".join(letter for letter in code[:100].casefold() if letter.isalnum())
    return tag(instance_key("lookup"), b"code|" + account.bytes + plain.encode("utf-8", "surrogatepass")).hex()
