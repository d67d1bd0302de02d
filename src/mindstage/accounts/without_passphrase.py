"""Go on without a passphrase: only with a passkey that works here, and codes that are left for a lost device."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.hashers import make_password
from django.db import transaction

from mindstage.accounts.models import User
from mindstage.accounts.notices import notify
from mindstage.accounts.passkeys import Site, has_passkey_here
from mindstage.accounts.recovery_codes import count_recovery_codes
from mindstage.accounts.refused import Refused
from mindstage.accounts.sessions import begin_session, end_all

NO_PASSKEY: Final = "No passkey of yours works at this address, so the passphrase stays: add a passkey here first."
NO_CODES: Final = "No recovery code of yours is left, so the passphrase stays: make a new sheet first."


def can_do_without(account: User, site: Site | None) -> bool:
    """Whether there is a passphrase, and a passkey for this address that takes its place."""
    return account.has_usable_password() and has_passkey_here(account.pk, site)


def remove_passphrase(*, account: User, site: Site | None, device: str) -> str:
    """Keep no passphrase any more; every session ends, and one begins here: its cookie.

    Raises Refused unless a passkey for this very address and at least one recovery code remain. A passkey that is
    removed at the same moment waits for the account's row.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=account.pk)
        if not has_passkey_here(locked.pk, site):
            raise Refused("", NO_PASSKEY)
        if not count_recovery_codes(locked.pk):
            raise Refused("", NO_CODES)
        locked.password = make_password(None)
        locked.save(update_fields=["password"])
        end_all(locked)
        notify(account=locked, text="The passphrase was removed, and every session ended with it.")
        return begin_session(locked, device)
