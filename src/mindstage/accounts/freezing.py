"""Freeze an account: nothing new is processed, everything is hidden, every session ends. It can be thawed.

What its owner cannot reach does not end meanwhile: the night passes over the trash and the drafts of frozen accounts.

Whoever holds something running for a person (a reply, a narrator's memory) lets it be stopped through `on_freeze`.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable

from django.db import transaction
from django.db.models import QuerySet

from mindstage.accounts.models import Session, User
from mindstage.datamap.holdings import holdings
from mindstage.vault.keys import forget_everywhere
from mindstage.vault.marks import mark_database

log = logging.getLogger(__name__)

type Stop = Callable[[uuid.UUID], None]


class NotActive(Exception):
    """The account is frozen already, or is being erased."""


_stops: dict[str, Stop] = {}


def on_freeze(name: str, stop: Stop) -> None:
    """Let `stop(account)` be called, from any thread, when an account is frozen or erased. It must not block."""
    _stops[name] = stop


def freeze_account(
    account: uuid.UUID, *, also: Callable[[], None] = lambda: None, state: str = User.State.ACTIVE
) -> None:
    """Freeze an account. `also` is done in the same transaction. Raises NotActive.

    `state`: the one in which it must still be. One that its owner has frozen already is frozen on.
    """
    with transaction.atomic():
        if not User.objects.filter(pk=account, state=state).update(state=User.State.FROZEN):
            raise NotActive
        Session.objects.filter(account=account).delete()  # its replies are ended below, and their readers told why
        also()
        mark_database()
    stop_all(account)


def thaw_account(account: uuid.UUID) -> bool:
    """Make a frozen account active again, with some days for what would have ended; False when it was not frozen."""
    with transaction.atomic():
        thawed = frozen_accounts().filter(pk=account).update(state=User.State.ACTIVE)
        for thaw in [getattr(holding, "thaw", None) for holding in holdings() if thawed]:
            if thaw is not None:
                thaw(account)
        mark_database()
    return bool(thawed)


def frozen_accounts() -> QuerySet[User]:
    """Accounts that are frozen, by their owners or until their end."""
    return User.objects.filter(state=User.State.FROZEN)


def active_accounts(accounts: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these accounts are neither frozen nor being erased."""
    wanted, found = list(accounts), set[uuid.UUID]()
    for at in range(0, len(wanted), 500):
        rows = User.objects.filter(pk__in=wanted[at : at + 500], state=User.State.ACTIVE)
        found |= set(rows.values_list("pk", flat=True))
    return found


def stop_all(account: uuid.UUID) -> None:
    """End whatever runs for a person in this process, and forget all unwrapped keys, in every one."""
    for stop in list(_stops.values()):
        try:
            stop(account)
        except Exception:  # one that cannot be reached must not keep the freeze from the others
            log.exception("something that runs for a frozen account could not be stopped")
    forget_everywhere()
