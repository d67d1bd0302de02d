"""Make an account: a handle, a passphrase, an age band, and nothing else."""

from __future__ import annotations

from django.db import transaction

from mindstage.accounts.handles import check_handle, handle_tag
from mindstage.accounts.models import AgeBand, User
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
    shown, tag = _check(handle, passphrase, age_band, owner_link)
    account = User(handle_tag=tag, age_band=age_band, owner=bool(owner_link), password=hash_passphrase(passphrase))
    create_user_key(account.id)  # the key before the row: a crash in between leaves a key and no unreadable row
    account.seal(handle=shown)
    with transaction.atomic():
        if owner_link and not spend_owner_link(owner_link):
            raise Refused("", LINK_SPENT)
        _insert(account)
        mark_database()
    return account


def _check(handle: str, passphrase: str, age_band: str, owner_link: str) -> tuple[str, bytes]:
    if age_band not in AgeBand.values:
        raise Refused("age_band", TOO_YOUNG)
    shown = check_handle(handle)
    check_passphrase(passphrase, handle=shown)
    tag = handle_tag(shown)
    if User.objects.filter(handle_tag=tag).exists() or is_reserved(tag):
        raise Refused("handle", TAKEN)
    if owner_link and not is_owner_link(owner_link):
        raise Refused("", LINK_SPENT)
    return shown, tag


def _insert(account: User) -> None:
    """Insert, or learn that another was faster. A failed INSERT would stand in PostgreSQL's log with its values."""
    User.objects.bulk_create([account], ignore_conflicts=True)
    if not User.objects.filter(pk=account.pk).exists():
        raise Refused("handle", TAKEN)
