"""Which version of the policy holds on this instance, and telling people of a new one in time.

A release has its own date, but people here can only have been told from the day on which this instance first ran it. So
a version holds here from its own date or 30 days after that day, whichever is later. docs/subsystems/policy.md
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import transaction

from mindstage.accounts.models import User
from mindstage.accounts.notices import notify
from mindstage.datamap.releases import NOTICE, Release, releases
from mindstage.kit import clock
from mindstage.rights.models import PolicyNotice, PolicyVersion
from mindstage.vault.keys import KeyGone

BATCH = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """A version as it stands on this instance."""

    release: Release
    seen_on: date
    effective_on: date

    @property
    def holds(self) -> bool:
        return self.effective_on <= clock.today()

    @property
    def first_here(self) -> bool:
        """No earlier version was ever in force here, so nobody had to be told."""
        return self.effective_on <= self.seen_on


def note_versions() -> None:
    """Write down the versions that this instance runs for the first time. Harmless to repeat."""
    done = releases()
    known = set(PolicyVersion.objects.values_list("number", flat=True))
    for release in done:
        if release.number not in known:
            today = clock.today()
            told_in_time = max(release.effective_on, today + NOTICE)
            day = told_in_time if known else min(release.effective_on, today)
            PolicyVersion.objects.get_or_create(number=release.number, defaults={"seen_on": today, "effective_on": day})


def standings() -> list[Standing]:
    """Every version, oldest first. What was never noted counts as seen today."""
    rows = {row.number: row for row in PolicyVersion.objects.all()}
    return [_standing(release, rows) for release in releases()]


def _standing(release: Release, rows: dict[int, PolicyVersion]) -> Standing:
    today = clock.today()
    if row := rows.get(release.number):
        return Standing(release, row.seen_on, row.effective_on)
    if rows:
        return Standing(release, today, max(release.effective_on, today + NOTICE))
    return Standing(release, today, min(release.effective_on, today))


def version_in_force() -> Standing:
    """The newest version that holds here."""
    found = standings()
    return next((standing for standing in reversed(found) if standing.holds), found[0])


def announced() -> Standing | None:
    """The newest version, while people are told about it: until it holds, and for as long again after that."""
    if len(releases()) < 2:
        return None
    newest = standings()[-1]
    told = not newest.first_here and clock.today() < newest.effective_on + NOTICE
    return newest if told else None


def tell_everybody() -> int:
    """A notice for each account that was there before the newest version came; how many were told. A clock runs it."""
    note_versions()
    newest = announced()
    if newest is None or newest.holds:
        return 0
    number = newest.release.number
    waiting = User.objects.filter(joined_on__lte=newest.seen_on).exclude(
        policy_notices__number=number, policy_notices__way=PolicyNotice.Way.NOTICE
    )
    idents = list(waiting.values_list("pk", flat=True))
    told = 0
    for at in range(0, len(idents), BATCH):
        for account in User.objects.filter(pk__in=idents[at : at + BATCH]):
            told += _tell(account, newest)
    return told


def _tell(account: User, newest: Standing) -> bool:
    """False when the account's key is gone, so that nothing can be sealed for it: the others are still told."""
    page = f"{settings.MINDSTAGE.site}policy/changes/"
    day = f"{newest.effective_on:%d %B %Y}".lstrip("0")
    try:
        with transaction.atomic():
            PolicyNotice.objects.create(account=account, number=newest.release.number, way=PolicyNotice.Way.NOTICE)
            notify(account=account, text=f"The data policy changes on {day}. What will be different: {page}")
    except KeyGone:
        return False
    return True


def close_banner(person: uuid.UUID, number: int) -> None:
    """The person has read that a version is coming."""
    PolicyNotice.objects.get_or_create(account_id=person, number=number, way=PolicyNotice.Way.BANNER)


def has_closed_banner(person: uuid.UUID, number: int) -> bool:
    return PolicyNotice.objects.filter(account=person, number=number, way=PolicyNotice.Way.BANNER).exists()
