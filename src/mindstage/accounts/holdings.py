"""What this room holds of a person: the account itself and its signed-in browsers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

from django.db import transaction

from mindstage.accounts.access_counts import AccessCount
from mindstage.accounts.models import Session, User
from mindstage.accounts.sessions import list_sessions
from mindstage.datamap.holdings import Cleared, Finding
from mindstage.datamap.porting import NotUnderstood, Pack, Report
from mindstage.vault.purposes import Purpose

ACCOUNT, SESSIONS = "mindstage-account-1", "mindstage-sessions-1"
HERE = "The account keeps the handle, age band, days and signed-in browsers that it has here."


class AccountsHolding:
    """The account: exported as one file and its sessions as another, deleted last of all rooms."""

    name = "accounts"

    def subjects(self) -> Iterator[uuid.UUID]:
        yield from User.objects.values_list("pk", flat=True).iterator()

    def weigh(self, person: uuid.UUID) -> int:  # noqa: ARG002 - every account weighs the same
        return 1

    def export(self, person: uuid.UUID) -> Iterator[tuple[str, Any]]:
        user = User.objects.filter(pk=person).first()
        if user is None:
            return
        yield (
            "account.json",
            {
                "format": ACCOUNT,
                "id": str(user.pk),
                "handle": user.open("handle", Purpose.EXPORT),
                "age_band": user.age_band,
                "state": user.state,
                "owner": user.owner,
                "joined_on": user.joined_on.isoformat(),
                "passphrase_on": user.passphrase_on.isoformat(),
            },
        )
        browsers = [
            {
                "device": browser.device,
                "began": browser.began.astimezone(UTC).isoformat(),
                "seen": browser.seen.astimezone(UTC).isoformat(),
            }
            for browser in list_sessions(user)
        ]
        yield "sessions.json", {"format": SESSIONS, "sessions": browsers}

    def erase(self, person: uuid.UUID) -> list[Cleared]:
        with transaction.atomic():
            sessions = Session.objects.filter(account=person).delete()[0]
            openings = AccessCount.objects.filter(owner=person).delete()[0]
            users = User.objects.filter(pk=person).delete()[0]
        counts = {"accounts_session": sessions, "accounts_accesscount": openings, "accounts_user": users}
        return [Cleared(f"database:default {table}", "delete", count) for table, count in counts.items() if count]

    def erase_item(self, item: uuid.UUID) -> list[Cleared]:  # noqa: ARG002 - an account is no item
        return []

    def keep(self, subject: uuid.UUID) -> None:
        User.objects.filter(pk=subject, state=User.State.FROZEN).update(state=User.State.ACTIVE)

    def rearm(self, day: date) -> int:  # noqa: ARG002 - what ends a freeze is kept in `rights`
        return 0

    def remains(self, person: uuid.UUID) -> list[Finding]:
        counts = {
            "accounts": User.objects.filter(pk=person).count(),
            "sessions": Session.objects.filter(account=person).count(),
            "access counts": AccessCount.objects.filter(owner=person).count(),
        }
        return [Finding(f"database:default {table}", count) for table, count in counts.items() if count]

    def check(self, pack: Pack) -> None:
        for name, form in (("account.json", ACCOUNT), ("sessions.json", SESSIONS)):
            if name in pack.names():
                content = pack.json(name)
                if not isinstance(content, dict) or content.get("format") != form:
                    raise NotUnderstood(f"The archive’s file {name} is not what it should be; nothing was brought in.")

    def bring(self, person: uuid.UUID, pack: Pack, report: Report) -> None:  # noqa: ARG002 - nothing is changed
        """An import changes no account: who somebody is, is not taken from a file."""
        found = {"account.json", "sessions.json"} & set(pack.names())
        if found:
            report.read |= found
            report.kept.append(HERE)
