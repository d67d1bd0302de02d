"""Know somebody again by handle and passphrase, and change the passphrase."""

from __future__ import annotations

from django.db import transaction

from mindstage.accounts.handles import handle_tag
from mindstage.accounts.models import User
from mindstage.accounts.passphrases import check_passphrase, hash_passphrase, matches
from mindstage.accounts.rate_limits import (
    PASSPHRASES_OF_A_HANDLE,
    PASSPHRASES_OF_A_NETWORK,
    count_try,
    forget_tries,
)
from mindstage.accounts.refused import Refused
from mindstage.accounts.sessions import begin_session, end_all
from mindstage.kit import clock
from mindstage.vault.purposes import Purpose


def find_account(handle: str) -> User | None:
    """The account of a handle in any spelling, for deeds that somebody on this machine does for it."""
    return User.objects.filter(handle_tag=handle_tag(handle)).first()


def sign_in(*, handle: str, passphrase: str, network: bytes = b"") -> User | None:
    """The account, or None when handle and passphrase do not belong together. Raises TooManyTries.

    An unknown handle, a frozen account and a wrong passphrase are one answer, after the same work and the same limits.
    `network` is the pseudonym of `rate_limits.network_of`; empty for tries from this machine's own command line.
    """
    tag = handle_tag(handle)
    if network:
        count_try(PASSPHRASES_OF_A_NETWORK, network)
    count_try(PASSPHRASES_OF_A_HANDLE, tag)
    account = User.objects.filter(handle_tag=tag).first()
    right = matches(passphrase, account.password if account else None)
    if account is None or not right or not account.is_active:
        return None
    forget_tries(PASSPHRASES_OF_A_HANDLE, tag)
    return account


def change_passphrase(*, account: User, old: str, new: str, device: str) -> str:
    """Change the passphrase, end every session, begin one here: its cookie. Raises Refused, TooManyTries."""
    count_try(PASSPHRASES_OF_A_HANDLE, bytes(account.handle_tag))
    if not matches(old, account.password):
        raise Refused("old", "That is not your present passphrase. Nothing was changed.")
    forget_tries(PASSPHRASES_OF_A_HANDLE, bytes(account.handle_tag))
    check_passphrase(new, handle=account.open("handle", Purpose.SIGN_IN), field="new")
    account.password, account.passphrase_on = hash_passphrase(new), clock.today()
    with transaction.atomic():
        account.save(update_fields=["password", "passphrase_on"])
        end_all(account)
        return begin_session(account, device)
