"""What lies in the trash: when each thing ends, taking it back, ending it now, and the night that ends what is due."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta

from mindstage.accounts.endings import end_item, end_turns, keep
from mindstage.datamap.retention import kept_for
from mindstage.datamap.trash import trashes
from mindstage.vault.clocks import slow_date

BATCH = 500


@dataclass(frozen=True, slots=True)
class InTrash:
    """One line of the trash page. `ends_on`: the day on which it ends by itself, by the instance's own date."""

    id: uuid.UUID
    words: str
    title: str = field(repr=False)
    ends_on: date
    days_left: int


def stay() -> timedelta:
    """How long things lie in the trash here: the promise of the map, or the operator's shorter one."""
    return kept_for("trash")


def list_trash(owner: uuid.UUID) -> list[InTrash]:
    """What of a person lies in the trash of any room, the newest first."""
    today, lasts = slow_date(), stay()
    found = [one for trash in trashes() for one in trash.lying(owner)]
    found.sort(key=lambda one: one.trashed_on, reverse=True)
    return [
        InTrash(one.id, one.words, one.title, one.trashed_on + lasts, max(0, (one.trashed_on + lasts - today).days))
        for one in found
    ]


def take_back(owner: uuid.UUID, item: uuid.UUID) -> bool:
    """Take one's own item out of the trash; False when it does not lie there any more."""
    if all(one.id != item for trash in trashes() for one in trash.lying(owner)):
        return False
    keep(item)
    return True


def end_now(owner: uuid.UUID, item: uuid.UUID) -> bool:
    """Delete one's own item in the trash for good: its key first. False when it does not lie there."""
    for trash in trashes():
        if trash.begin_end(item, owner=owner):
            end_item(item)
            return True
    return False


def end_due() -> int:
    """End what has lain in the trash long enough, and what was begun and not finished; how many. A night runs it."""
    up_to, ended = slow_date() - stay(), 0
    for trash in trashes():
        for item in trash.due(up_to):
            if trash.begin_end(item):
                end_item(item)
                ended += 1
        while turns := trash.due_turns(up_to)[:BATCH]:
            end_turns(*turns)
            ended += len(turns)
    return ended
