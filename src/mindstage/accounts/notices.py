"""Notices: what was changed in an account is told to its owner, on their account page and by mail where given."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from mindstage.accounts.letters import send_notice, sends_mail
from mindstage.accounts.models import EmailAddress, Notice, User
from mindstage.accounts.sealed_notices import open_notice, seal_notice
from mindstage.kit import clock
from mindstage.vault.purposes import Purpose

KEPT = timedelta(days=365)
LINES = 6
"""On one page of a list, and the others of its last day: which of a day came first is sealed."""


@dataclass(frozen=True, slots=True)
class Told:
    """One notice, opened."""

    made_on: date
    text: str
    new: bool = False


def notify(*, account: User, text: str) -> None:
    """Tell the owner of an account a plain sentence. It holds no story text, no name and no secret."""
    row = seal_notice(account, text)
    row.save(force_insert=True)
    if sends_mail() and EmailAddress.objects.filter(account=account).exists():
        send_notice.enqueue(str(row.pk))


def see_notices(account: uuid.UUID) -> set[uuid.UUID]:
    """Count an account's notices as seen; which of them were new. Before they are listed, so that none is missed."""
    unseen = Notice.objects.filter(account=account, seen=False)
    if new := set(unseen.values_list("pk", flat=True)):
        unseen.update(seen=True)
    return new


def list_notices(account: uuid.UUID, *, before: date | None = None, new: Collection[uuid.UUID] = ()) -> list[Told]:
    """One page of an account's notices, the newest first: of the last days before that one. No other is opened."""
    rows = Notice.objects.filter(account=account, **({"made_on__lt": before} if before else {}))
    days = rows.order_by("-made_on").values_list("made_on", flat=True)[:LINES]
    if not days:
        return []
    page = rows.filter(made_on__gte=min(days))
    opened = [(row.made_on, *open_notice(row, Purpose.SHOW), row.pk in new) for row in page]
    return [Told(made_on, text, is_new) for made_on, _, text, is_new in sorted(opened, reverse=True)]


def count_notices(account: uuid.UUID, *, before: date | None = None) -> int:
    """How many there are, or were made before that day. None is opened."""
    return Notice.objects.filter(account=account, **({"made_on__lt": before} if before else {})).count()


def purge_old_notices() -> int:
    """Delete notices of more than a year ago; how many there were. A clock runs it."""
    today = clock.today()
    Notice.objects.filter(made_on__gt=today).update(made_on=today)  # the wall was ahead; none stays the longer for it
    return Notice.objects.filter(made_on__lte=today - KEPT).delete()[0]
