"""Know somebody again by handle and passphrase, by a second factor, by a recovery code; change the passphrase."""

from __future__ import annotations

from django.db import transaction

from mindstage.accounts.handles import handle_tag
from mindstage.accounts.models import User
from mindstage.accounts.notices import notify
from mindstage.accounts.passphrases import check_passphrase, hash_passphrase, matches
from mindstage.accounts.rate_limits import (
    CODES_OF_A_HANDLE,
    PASSPHRASES_OF_A_HANDLE,
    PASSPHRASES_OF_A_NETWORK,
    count_code,
    count_try,
    forget_tries,
)
from mindstage.accounts.recovery_codes import spend_recovery_code
from mindstage.accounts.refused import Refused
from mindstage.accounts.sessions import begin_session, end_all
from mindstage.accounts.totp import spend_totp_code
from mindstage.kit import clock
from mindstage.vault.purposes import Purpose


def find_account(handle: str) -> User | None:
    """The account of a handle in any spelling, for deeds that somebody on this machine does for it."""
    return User.objects.filter(handle_tag=handle_tag(handle)).first()


def sign_in(*, handle: str, passphrase: str, network: bytes = b"") -> User | None:
    """The account, or None when handle and passphrase do not belong together. Raises TooManyTries.

    An unknown handle, an account that is being erased and a wrong passphrase are one answer, after the same work and
    the same limits. `network` is the pseudonym of `rate_limits.network_of`; empty for tries from this machine's own
    command line.
    """
    tag = handle_tag(handle)
    if network:
        count_try(PASSPHRASES_OF_A_NETWORK, network)
    count_try(PASSPHRASES_OF_A_HANDLE, tag)
    account = User.objects.filter(handle_tag=tag).first()
    right = matches(passphrase, account.password if account else None)
    if account is None or not right or not account.may_sign_in:
        return None
    forget_tries(PASSPHRASES_OF_A_HANDLE, tag)
    return account


def is_passphrase(*, account: User, passphrase: str) -> bool:
    """Whether this is the passphrase of an account that is signed in. Raises TooManyTries."""
    tag = bytes(account.handle_tag)
    count_try(PASSPHRASES_OF_A_HANDLE, tag)
    right = matches(passphrase, account.password)
    if right:
        forget_tries(PASSPHRASES_OF_A_HANDLE, tag)
    return right


def has_passphrase(account: User) -> bool:
    """False for an account that is known by passkeys alone."""
    return account.has_usable_password()


def give_second_factor(*, account: User, code: str, network: bytes) -> bool:
    """Whether this is the app's code of now, or an unused recovery code. It is spent by that. Raises TooManyTries."""
    count_code(bytes(account.handle_tag), network)
    right = spend_totp_code(account.pk, code) or spend_recovery_code(account, code)
    if right:
        forget_tries(CODES_OF_A_HANDLE, bytes(account.handle_tag))
    return right


def recover(*, handle: str, code: str, network: bytes) -> User | None:
    """The account that a handle and an unused recovery code belong to, or None: one answer for all that is wrong.

    The code stands for what was lost, the passphrase or the passkey; a second factor is still asked for.
    Raises TooManyTries.
    """
    tag = handle_tag(handle)
    count_code(tag, network)
    account = User.objects.filter(handle_tag=tag).first()
    if account and not account.may_sign_in:
        account = None
    right = spend_recovery_code(account or User(), code)  # somebody who is not there has no sheet: the same work
    if right:
        forget_tries(CODES_OF_A_HANDLE, tag)
    return account if right else None


def change_passphrase(*, account: User, old: str, new: str, device: str, proven: bool = False) -> str:
    """Change or add the passphrase, end every session, begin one here: its cookie. Raises Refused, TooManyTries.

    Without the old one only when the person has just proved in another way who they are.
    """
    if (old or not proven) and not is_passphrase(account=account, passphrase=old):
        raise Refused("old", "That is not your present passphrase. Nothing was changed.")
    check_passphrase(new, handle=account.open("handle", Purpose.SIGN_IN), field="new")
    account.password, account.passphrase_on = hash_passphrase(new), clock.today()
    with transaction.atomic():
        account.save(update_fields=["password", "passphrase_on"])
        end_all(account)
        notify(account=account, text="The passphrase was changed, and every session ended with it.")
        return begin_session(account, device)
