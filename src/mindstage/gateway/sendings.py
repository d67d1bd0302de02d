"""Who really got parts of somebody's stories: noted before anything leaves, told to the person, ended after a year."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, timedelta

from mindstage.accounts.models import User
from mindstage.datamap.retention import days_in
from mindstage.gateway.models import Sending
from mindstage.gateway.routes import Route
from mindstage.kit import clock, ids
from mindstage.vault import raw

KEPT = timedelta(days=365)
LONGEST = 200
NOTHING = ("nothing", "no", "none")


@dataclass(frozen=True, slots=True)
class Noted:
    """Shows that a request to `route` was noted: `note_sending` alone makes one, and no request leaves without.

    `first`: nobody had noted this recipient for this person before.
    """

    route: Route
    first: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What one provider got. `ends_on`: the day on which it is gone there by its terms; None: they name no time."""

    provider: str
    place: str
    keeps: str
    trains: str
    first_on: date
    last_on: date
    requests: int
    ends_on: date | None


def note_sending(owner: uuid.UUID, route: Route) -> Noted | None:
    """Note that a request with a person's words is about to leave; None when the account is no longer active.

    One statement, in the transaction that the request comes of: it stands on the path of a turn.
    """
    terms = [text[:LONGEST] for text in (route.provider_id, route.place, route.retains, route.trains)]
    today = clock.today()
    noted = raw.query(
        "INSERT INTO gateway_sending (id, owner, provider, place, keeps, trains, first_on, last_on, requests) "
        "SELECT %s, id, %s, %s, %s, %s, %s, %s, 1 FROM accounts_user WHERE id = %s AND state = %s "
        "ON CONFLICT (owner, provider, place, keeps, trains) DO UPDATE "
        "SET requests = gateway_sending.requests + 1, last_on = excluded.last_on RETURNING requests",
        [ids.unordered(), *terms, today, today, owner, User.State.ACTIVE],
    )
    return Noted(route, first=noted[0][0] == 1) if noted else None


def list_sent(owner: uuid.UUID) -> list[Sent]:
    """Who got parts of a person's stories within the last year, the last one first."""
    rows = Sending.objects.filter(owner=owner).order_by("-last_on", "provider", "id")
    return [
        Sent(
            row.provider, row.place, row.keeps, row.trains, row.first_on, row.last_on, row.requests, ends_on=_ends(row)
        )
        for row in rows
    ]


def purge_old_sendings() -> int:
    """Delete lines whose last request is a year old; how many. A clock runs it."""
    today = clock.today()
    Sending.objects.filter(first_on__gt=today).update(first_on=today)
    Sending.objects.filter(last_on__gt=today).update(last_on=today)  # the wall was ahead; none stays the longer for it
    return Sending.objects.filter(last_on__lte=today - KEPT).delete()[0]


def _ends(row: Sending) -> date | None:
    if row.keeps.strip().lower().rstrip(".") in NOTHING:
        return row.last_on
    days = days_in(row.keeps)
    return None if days is None else row.last_on + timedelta(days=days)
