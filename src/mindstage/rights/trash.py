"""What lies in the trash: when each thing ends, taking it back, ending it now, and the night that ends what is due."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import batched

from mindstage.accounts.endings import keep
from mindstage.accounts.rate_limits import TAKE_BACKS, count_try
from mindstage.datamap.retention import kept_for
from mindstage.datamap.trash import Lying, trashes
from mindstage.kit import ids
from mindstage.vault.clocks import slow_date

BATCH = 500
MOST = 200
"""Things that the page shows at once: each is opened to be shown."""


@dataclass(frozen=True, slots=True)
class InTrash:
    """One line of the trash page. `ends_on`: the day on which it ends by itself, by the instance's own date."""

    id: uuid.UUID
    words: str = field(repr=False)
    title: str = field(repr=False)
    after: str
    ends_on: date
    days_left: int

    @property
    def made_at(self) -> datetime | None:
        """What tells two of one name apart."""
        return ids.made_at(self.id)


class EndBegun(Exception):
    """It lay there, and while it was to be taken out its end for good began."""


def stay() -> timedelta:
    """How long things lie in the trash here: the promise of the map, or the operator's shorter one."""
    return kept_for("trash")


def count_trash(owner: uuid.UUID) -> int:
    """How many things of a person lie in the trash of any room. To count them nothing is opened."""
    return sum(trash.count(owner) for trash in trashes())


def list_trash(owner: uuid.UUID) -> list[InTrash]:
    """What of a person lies in the trash of any room, the newest first; no more than MOST."""
    today, lasts = slow_date(), stay()
    found = [one for trash in trashes() for one in trash.lying(owner, most=MOST)]
    found.sort(key=lambda one: one.trashed_on, reverse=True)
    return [_in_trash(one, one.trashed_on + lasts, today) for one in found[:MOST]]


def _in_trash(one: Lying, ends_on: date, today: date) -> InTrash:
    return InTrash(one.id, one.words, one.title, one.after, ends_on, max(0, (ends_on - today).days))


def take_back(owner: uuid.UUID, item: uuid.UUID) -> bool:
    """Take one's own item out of the trash; False when it does not lie there any more.

    Raises TooManyTries, and EndBegun when a night was faster by a moment.
    """
    for trash in trashes():
        if parts := trash.parts(item, owner=owner):
            count_try(TAKE_BACKS, owner.bytes)
            keep(*parts)
            if not trash.take_out(parts):
                raise EndBegun
            return True
    return False


def end_now(owner: uuid.UUID, item: uuid.UUID) -> bool:
    """Delete one's own item in the trash for good. False when it does not lie there."""
    for trash in trashes():
        if begun := trash.begin_end(trash.parts(item, owner=owner)):
            trash.end(begun)
            return True
    return False


def end_due() -> int:
    """End what has lain in the trash long enough, and what was begun and not finished; how many. A night runs it."""
    up_to, ended = slow_date() - stay(), 0
    for trash in trashes():
        for due in batched(trash.due(up_to), BATCH):
            begun = trash.begin_end(due, up_to=up_to)  # some may have been taken back meanwhile
            trash.end(begun)
            ended += len(begun)
    return ended
