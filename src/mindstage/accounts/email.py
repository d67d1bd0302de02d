"""An e-mail address, if the person wants one here: verified, sealed, found by a keyed tag, and used for two things:
notices about the account, and a way back in."""

from __future__ import annotations

import secrets
import unicodedata
import uuid

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from mindstage.accounts.letters import address_of, say_goodbye
from mindstage.accounts.models import EmailAddress, User
from mindstage.accounts.notices import notify
from mindstage.accounts.recovery_codes import LETTERS
from mindstage.accounts.refused import Refused
from mindstage.vault.keys import instance_key
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import tag

LONGEST = 254
CODE_LETTERS = 8
"""8 of 27 letters: 38 bits, for ten minutes and ten tries."""


def check_address(typed: str) -> str:
    """The address as it will be written to. Raises Refused."""
    address = typed.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise Refused("address", "That does not look like an e-mail address; please look at it again.") from None
    if len(address) > LONGEST:
        raise Refused("address", f"An address has at most {LONGEST} characters.")
    return address


def address_tag(address: str) -> bytes:
    """HMAC-SHA256 of the address under the instance's look-up key: 32 bytes. Case and width do not count."""
    folded = unicodedata.normalize("NFKC", address.strip()[: LONGEST + 1]).casefold()
    return tag(instance_key("lookup"), b"email|" + folded.encode("utf-8", "surrogatepass"))


def make_letter_code() -> str:
    """A single-use code for a letter, in two groups."""
    code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))
    return f"{code[:4]}-{code[4:]}"


def is_letter_code(typed: str, sent: str) -> bool:
    """Whether this is the code that was sent; case, spaces and hyphens do not count."""
    return secrets.compare_digest(_plain(typed).encode(), _plain(sent).encode())


def keep_address(*, account: User, address: str) -> None:
    """Keep an address whose owner has shown its code. Raises Refused when another account has it, KeyGone."""
    row = EmailAddress(account=account, address_tag=address_tag(address)).seal(address=address)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=account.pk)
        former = _forget(account)
        # A failed INSERT would stand in PostgreSQL's log with its values.
        EmailAddress.objects.bulk_create([row], ignore_conflicts=True)
        if not EmailAddress.objects.filter(account=account).exists():
            raise Refused("code", "This address belongs to another account here. Nothing was changed.")
        if former and former != address:
            say_goodbye(former)
        notify(account=account, text="An e-mail address was added, for notices and as a way back in.")


def remove_address(*, account: User) -> None:
    """Keep no address any more."""
    with transaction.atomic():
        if former := _forget(account):
            say_goodbye(former)
            notify(account=account, text="The e-mail address was removed.")


def show_address(account: uuid.UUID) -> str:
    """The address, for its owner's own page; empty where there is none. Raises KeyGone."""
    row = EmailAddress.objects.filter(account=account).first()
    return row.open("address", Purpose.SHOW) if row else ""


def find_account_by_address(address: str) -> User | None:
    """The account that a verified address belongs to."""
    row = EmailAddress.objects.filter(address_tag=address_tag(address)).select_related("account").first()
    return row.account if row else None


def _forget(account: User) -> str | None:
    former = address_of(account.pk)
    EmailAddress.objects.filter(account=account).delete()
    return former


def _plain(code: str) -> str:
    return "".join(letter for letter in code[:100].casefold() if letter.isalnum())
