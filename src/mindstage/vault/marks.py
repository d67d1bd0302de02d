"""Two databases that know each other's age.

Every commit that touches keys, and every commit of the rows that need them, counts itself and notes how old the other
database was. An old file copied into place is then younger than the other remembers it, and the start-up check sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, transaction

from mindstage.ledger.models import DatabaseMark
from mindstage.vault.models import Keystore
from mindstage.vault.one_row import read_row, write_row


@contextmanager
def keystore_commit() -> Iterator[Keystore]:
    """One transaction of the keystore. What the block sets on the state is saved with the counts, at its end."""
    seen = database_mark().generation
    with transaction.atomic(using="keystore"):
        state = keystore_state(lock=True)
        yield state
        state.generation += 1
        state.database_generation = max(state.database_generation, seen)
        write_row(state, "keystore")


def mark_database(*, ledger_length: int | None = None) -> None:
    """Count a commit of the main database. Call it inside the transaction whose rows need keys, or end them."""
    state = keystore_state()
    mark = read_row(DatabaseMark, DEFAULT_DB_ALIAS, lock=True) or _first_mark()
    mark.generation += 1
    mark.keystore_generation = max(mark.keystore_generation, state.generation)
    if ledger_length is not None:
        mark.ledger_length = max(mark.ledger_length, ledger_length)
    write_row(mark, DEFAULT_DB_ALIAS)


def _first_mark() -> DatabaseMark:
    """Written once; two at a time get the same."""
    mark, _ = DatabaseMark.objects.select_for_update().get_or_create(pk=1)
    return mark


def database_mark() -> DatabaseMark:
    """What the main database has seen."""
    return read_row(DatabaseMark, DEFAULT_DB_ALIAS) or DatabaseMark(pk=1)


def keystore_state(*, lock: bool = False) -> Keystore:
    """The keystore's one row. Raises Keystore.DoesNotExist."""
    state = read_row(Keystore, "keystore", lock=lock)
    if state is None:
        raise Keystore.DoesNotExist("the keystore has no row")
    return state
