"""End an item or turns for good, or keep what was about to end: the ledger, its pin, the keys, the rows, in this order.

Each is harmless to repeat, so whoever finds one half done calls it again. docs/subsystems/erasure.md
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from mindstage.accounts.handles import tag_of_account
from mindstage.datamap.holdings import Cleared
from mindstage.ledger import book
from mindstage.ledger.book import Chain, Kind, LedgerBroken
from mindstage.vault.ending import Hints, apply_to_database, apply_to_keystore, ended_subjects, record
from mindstage.vault.marks import mark_database
from mindstage.vault.tags import ledger_tag


def begin_end(lying: QuerySet[Any], parts: Iterable[uuid.UUID], *, due: Q | None) -> list[uuid.UUID]:
    """The point of no return for those that still lie in the trash, and with `due` are due; all whose end has begun.

    One conditional change, so that of an undo and an end only one can win.
    """
    wanted = list(parts)
    rows = lying.filter(pk__in=wanted)
    with transaction.atomic():
        if (rows if due is None else rows.filter(due)).update(ending=True):
            mark_database()
        begun = lying.model._default_manager.filter(pk__in=wanted, ending=True)
        return list(begun.values_list("pk", flat=True))


def end_item(item: uuid.UUID) -> list[Cleared]:
    """Destroy the key of a story, character or other item, then its rows. Raises LedgerBroken, OSError."""
    return _apply(_recorded(Kind.ITEM, item), item)


def end_turns(*turns: uuid.UUID) -> list[Cleared]:
    """Delete turns. They have no key of their own: the ledger keeps them out of any restore."""
    return _apply(_recorded(Kind.TURN, *turns), *turns)


def keep(*subjects: uuid.UUID) -> None:
    """A freeze is called off, or something taken out of the trash: no older copy may end it later."""
    _apply(record(Kind.KEEP, *subjects), *subjects)


def _recorded(kind: Kind, *subjects: uuid.UUID) -> Chain:
    """The ledger with an entry for each subject; one that stands there already is not written twice."""
    chain = book.read_book(settings.MINDSTAGE.ledger_dir)
    if chain is None:
        raise LedgerBroken
    ended = ended_subjects(chain, [kind])
    missing = [subject for subject in subjects if ledger_tag(subject) not in ended]
    return record(kind, *missing) if missing else chain


def _apply(chain: Chain, *subjects: uuid.UUID) -> list[Cleared]:
    hints = Hints.of(*subjects)
    apply_to_keystore(chain, handle_of=tag_of_account, hints=hints)
    return apply_to_database(chain, hints=hints)
