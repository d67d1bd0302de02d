"""What an import writes is out of sight until all of it is there: an archive comes in whole or not at all.

Out of sight means: in the trash, and its end has begun, so it is on no page and in no export. Its date there lies
ahead, so that the night leaves it alone while the import may still be at work. When nobody has shown it by then, the
import was killed, and the night ends it like everything that was begun and not finished. docs/subsystems/export.md
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Model, Q

from mindstage.accounts.models import User
from mindstage.datamap.holdings import holdings
from mindstage.datamap.porting import IN_TRASH, Report
from mindstage.vault.clocks import slow_date
from mindstage.vault.fields import SealedRow
from mindstage.vault.keys import KeyGone, create_item_key, destroy_item_key
from mindstage.vault.marks import mark_database

AHEAD = timedelta(days=2)
"""An import has a day at least, and less than two."""


def begin_arrival(row: SealedRow, *, person: uuid.UUID, report: Report) -> None:
    """Make the key of something that comes in, so that it can be sealed. Raises KeyGone."""
    report.begun.append(row.pk)
    create_item_key(row.pk, owner=person)


def save_arrival(row: Any, *, person: uuid.UUID, lay_in_trash: bool, report: Report) -> None:
    """Save a story or character, out of sight; in the end it is shown, or lies in the trash anew. Raises KeyGone."""
    row.trashed_on, row.ending = slow_date() + AHEAD, True
    with transaction.atomic():
        lock_active(person)
        row.save(force_insert=True)
        mark_database()
    report.at_last.append(partial(_show, type(row), row.pk, lay_in_trash))
    if lay_in_trash:
        report.kept[IN_TRASH] += 1


def lock_active(person: uuid.UUID) -> None:
    """Hold an account as it is until the transaction ends. Raises KeyGone when nothing may come into it any more."""
    if not User.objects.select_for_update().filter(pk=person, state=User.State.ACTIVE).exists():
        raise KeyGone


def _show(model: type[Model], item: uuid.UUID, lay_in_trash: bool) -> None:
    hidden = model._default_manager.filter(pk=item, ending=True)
    if not hidden.update(ending=False, trashed_on=slow_date() if lay_in_trash else None):
        raise KeyGone  # a night has ended it: nobody brings things in for so long


def finish_arrivals(*, person: uuid.UUID, report: Report) -> None:
    """Show all that came, at one moment. Raises KeyGone. The caller has opened a transaction."""
    lock_active(person)
    for step in report.at_last:
        step()
    mark_database()


def undo_arrivals(report: Report) -> None:
    """Take back what came so far: keys first, then rows."""
    for item in report.begun:
        destroy_item_key(item)
        for holding in holdings():
            holding.erase_item(item)


def unfinished() -> Q:
    """Rows whose end has begun and was not finished, imports that were killed among them; not those still at work."""
    return Q(ending=True, trashed_on__lte=slow_date())
