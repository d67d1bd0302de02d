"""Make an account: a handle, a passphrase or a passkey, an age band, and nothing else."""

from __future__ import annotations

import uuid

from django.contrib.auth.hashers import make_password
from django.db import transaction

from mindstage.accounts.handles import check_handle, handle_tag
from mindstage.accounts.models import AgeBand, Factor, User
from mindstage.accounts.owner_link import is_owner_link, spend_owner_link
from mindstage.accounts.passphrases import check_passphrase, hash_passphrase
from mindstage.accounts.refused import Refused
from mindstage.vault.ending import is_reserved
from mindstage.vault.keys import create_user_key
from mindstage.vault.marks import mark_database

TAKEN = "That handle is taken; please choose another."
TOO_YOUNG = "Mindstage is made for people of 13 and older, so we cannot make an account. Nothing you typed was kept."
LINK_SPENT = "The owner link was used before or replaced by a newer one. No account was made."


def sign_up(*, handle: str, passphrase: str, age_band: str, owner_link: str = "") -> User:
    """Make an account. Raises Refused, and then nothing is stored but at most a key that seals nothing."""
    shown, tag = check_newcomer(handle=handle, age_band=age_band, owner_link="")
    check_passphrase(passphrase, handle=shown)
    _check_link(owner_link)
    account = User(handle_tag=tag, age_band=age_band, password=hash_passphrase(passphrase))
    return _keep(account, shown, owner_link)


def sign_up_with_passkey(*, ident: uuid.UUID, handle: str, age_band: str, owner_link: str, passkey: str) -> User:
    """Make an account without a passphrase. `ident` was given to the authenticator, `passkey` is what it answered.

    Account and passkey are kept in one transaction, after the ceremony: a cancelled one takes no handle.
    Raises Refused, as `sign_up` does.
    """
    shown, tag = check_newcomer(handle=handle, age_band=age_band, owner_link=owner_link)
    account = User(id=ident, handle_tag=tag, age_band=age_band, password=make_password(None))
    return _keep(account, shown, owner_link, passkey=passkey)


def check_newcomer(*, handle: str, age_band: str, owner_link: str) -> tuple[str, bytes]:
    """The handle as it will be shown, and its tag. Raises Refused."""
    if age_band not in AgeBand.values:
        raise Refused("age_band", TOO_YOUNG)
    shown = check_handle(handle)
    tag = handle_tag(shown)
    if User.objects.filter(handle_tag=tag).exists() or is_reserved(tag):
        raise Refused("handle", TAKEN)
    _check_link(owner_link)
    return shown, tag


def _check_link(owner_link: str) -> None:
    if owner_link and not is_owner_link(owner_link):
        raise Refused("", LINK_SPENT)


def _keep(account: User, shown: str, owner_link: str, *, passkey: str = "") -> User:
    create_user_key(account.id)  # the key before the row: a crash in between leaves a key and no unreadable row
    account.owner = bool(owner_link)
    account.seal(handle=shown)
    with transaction.atomic():
        if owner_link and not spend_owner_link(owner_link):
            raise Refused("", LINK_SPENT)
        _insert(account)
        if passkey:
            Factor(account=account, kind=Factor.Kind.PASSKEY).seal(sealed=passkey).save(force_insert=True)
        mark_database()
    return account


def _insert(account: User) -> None:
    """Insert, or learn that another was faster. A failed INSERT would stand in PostgreSQL's log with its values."""
    User.objects.bulk_create([account], ignore_conflicts=True)
    if not User.objects.filter(pk=account.pk).exists():
        raise Refused("handle", TAKEN)
