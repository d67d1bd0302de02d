"""Change one's handle: the old one is kept back from everybody first, then the row carries the new one."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from mindstage.accounts.handles import check_handle, handle_tag
from mindstage.accounts.models import User
from mindstage.accounts.notices import notify
from mindstage.accounts.refused import Refused
from mindstage.accounts.sign_up import TAKEN
from mindstage.vault.ending import is_reserved, reserve_handle
from mindstage.vault.marks import mark_database

MEANWHILE = (
    "Your handle was changed in another window just now. Nothing was changed here; please look at the page again."
)


def change_handle(*, account: User, handle: str) -> None:
    """Give an account another handle; a notice says so. Raises Refused, and then the account is as it was.

    For 30 days nobody can take the old one and pose as them, as after an erasure: not even they themselves, since the
    reservation knows a keyed tag and no person. Another spelling of the same handle reserves nothing.
    """
    shown = check_handle(handle)
    tag, former = handle_tag(shown), bytes(account.handle_tag)
    if tag != former:
        if User.objects.filter(handle_tag=tag).exists() or is_reserved(tag):
            raise Refused("handle", TAKEN)
        reserve_handle(former)  # before the row: a crash in between reserves a handle that is in use, which is harmless
    try:
        with transaction.atomic():
            locked = User.objects.select_for_update().filter(pk=account.pk, state=User.State.ACTIVE).first()
            if locked is None or bytes(locked.handle_tag) != former:
                raise Refused("", MEANWHILE)
            locked.handle_tag = tag
            locked.seal(handle=shown).save(update_fields=["handle", "handle_tag"])
            notify(account=locked, text="Your handle was changed. You log in with the new one.")
            mark_database()
    except IntegrityError:  # another was faster; the database's words hold a keyed tag and a sealed value, no handle
        raise Refused("handle", TAKEN) from None
