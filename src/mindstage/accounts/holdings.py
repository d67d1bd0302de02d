"""What this room holds of a person: the account itself and its signed-in browsers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from mindstage.accounts.access_counts import AccessCount
from mindstage.accounts.models import EmailAddress, Factor, Notice, Session, User
from mindstage.accounts.sealed_notices import open_notice
from mindstage.accounts.sessions import list_sessions
from mindstage.datamap.holdings import Cleared, Finding
from mindstage.datamap.porting import NotUnderstood, Pack, Report
from mindstage.vault.purposes import Purpose

ACCOUNT, SESSIONS = "mindstage-account-1", "mindstage-sessions-1"
NOTICES, OPENINGS = "mindstage-notices-1", "mindstage-openings-1"
FILES = {
    "account.json": ACCOUNT,
    "sessions.json": SESSIONS,
    "notices.json": NOTICES,
    "openings.json": OPENINGS,
}
HERE = "The account keeps the handle, age band, days, notices and signed-in browsers that it has here."


class AccountsHolding:
    """The account: exported as one file and its sessions as another, deleted last of all rooms."""

    name = "accounts"

    def subjects(self) -> Iterator[uuid.UUID]:
        yield from User.objects.values_list("pk", flat=True).iterator()

    def weigh(self, person: uuid.UUID) -> int:  # noqa: ARG002 - every account weighs the same
        return len(FILES)

    def export(self, person: uuid.UUID) -> Iterator[tuple[str, Any]]:
        user = User.objects.filter(pk=person).first()
        if user is None:
            return
        yield "account.json", _account(user)
        browsers = [
            {"device": browser.device, "began": _utc(browser.began), "seen": _utc(browser.seen)}
            for browser in list_sessions(user)
        ]
        yield "sessions.json", {"format": SESSIONS, "sessions": browsers}
        yield "notices.json", {"format": NOTICES, "notices": _notices(user)}
        yield "openings.json", {"format": OPENINGS, "openings": _openings(person)}

    def erase(self, person: uuid.UUID) -> list[Cleared]:
        counts = {}
        for rows in _rows_of(person):
            with transaction.atomic():
                counts[rows.model._meta.db_table] = rows.delete()[0]
        return [Cleared(f"database:default {table}", "delete", count) for table, count in counts.items() if count]

    def erase_item(self, item: uuid.UUID) -> list[Cleared]:  # noqa: ARG002 - an account is no item
        return []

    def keep(self, subject: uuid.UUID) -> None:
        """Whether a freeze that is called off began with the request for an end is known in `rights`, which thaws."""

    def remains(self, person: uuid.UUID) -> list[Finding]:
        counts = {rows.model._meta.db_table: rows.count() for rows in _rows_of(person)}
        return [Finding(f"database:default {table}", count) for table, count in counts.items() if count]

    def check(self, pack: Pack) -> None:
        for name, form in FILES.items():
            if name in pack.names():
                content = pack.json(name)
                if not isinstance(content, dict) or content.get("format") != form:
                    raise NotUnderstood(f"The archive’s file {name} is not what it should be; nothing was brought in.")

    def bring(self, person: uuid.UUID, pack: Pack, report: Report) -> None:  # noqa: ARG002 - nothing is changed
        """An import changes no account: who somebody is, is not taken from a file."""
        found = FILES.keys() & set(pack.names())
        if found:
            report.read |= found
            report.kept[HERE] += 1


def _rows_of(person: uuid.UUID) -> Iterator[QuerySet[Any]]:
    """Every row of this room that is about a person; the account itself last."""
    yield Session.objects.filter(account=person)
    yield Factor.objects.filter(account=person)
    yield EmailAddress.objects.filter(account=person)
    yield Notice.objects.filter(account=person)
    yield AccessCount.objects.filter(owner=person)
    yield User.objects.filter(pk=person)


def _account(user: User) -> dict[str, Any]:
    address = EmailAddress.objects.filter(account=user).first()
    factors = Factor.objects.filter(account=user).order_by("kind").values_list("kind", flat=True)
    return {
        "format": ACCOUNT,
        "id": str(user.pk),
        "handle": user.open("handle", Purpose.EXPORT),
        "age_band": user.age_band,
        "state": user.state,
        "owner": user.owner,
        "joined_on": user.joined_on.isoformat(),
        "passphrase_on": user.passphrase_on.isoformat(),
        "email": None if address is None else address.open("address", Purpose.EXPORT),
        "ways_to_sign_in": list(factors),
    }


def _notices(user: User) -> list[dict[str, Any]]:
    opened = [(*open_notice(row, Purpose.EXPORT), row.seen) for row in Notice.objects.filter(account=user)]
    return [{"at": _utc(at), "text": text, "seen": seen} for at, text, seen in sorted(opened)]


def _openings(person: uuid.UUID) -> list[dict[str, Any]]:
    rows = AccessCount.objects.filter(owner=person).order_by("day", "purpose", "actor")
    return [
        {"day": row.day.isoformat(), "purpose": row.purpose, "actor": row.actor, "count": row.count} for row in rows
    ]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
