"""The keystore's one row and the main database's mark: nothing that is counted at one time is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connections, models, transaction
from django.db.transaction import TransactionManagementError

from mindstage.ledger.models import DatabaseMark
from mindstage.vault.marks import database_mark, keystore_commit, keystore_state, mark_database
from mindstage.vault.models import Keystore
from mindstage.vault.one_row import read_row, write_row

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)

THREADS, TIMES = 4, 10
PLAIN = (models.IntegerField, models.CharField, models.BooleanField, models.DateField)


@pytest.fixture
def keystore(vault: None) -> Keystore:
    return keystore_state()


def at_once(deed: Callable[[], None]) -> None:
    """Do it TIMES times in each of THREADS threads. An error of one is raised here."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            for _ in range(TIMES):
                deed()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []


def test_commits_at_one_time_are_all_counted(keystore: Keystore) -> None:
    """Of the keystore and of the main database: whoever changes a row has it alone until they commit."""

    def commit() -> None:
        with keystore_commit():
            pass

    def mark() -> None:
        with transaction.atomic():
            mark_database()

    before = database_mark().generation
    at_once(commit)
    at_once(mark)
    assert keystore_state().generation == keystore.generation + THREADS * TIMES
    assert database_mark().generation == before + THREADS * TIMES


def test_the_first_marks_at_one_time_are_one(keystore: Keystore) -> None:
    """Where there is no row yet, two that write the first one count both."""
    DatabaseMark.objects.all().delete()

    def mark() -> None:
        with transaction.atomic():
            mark_database()

    at_once(mark)
    assert DatabaseMark.objects.get().generation == THREADS * TIMES


def test_a_lock_needs_a_transaction(keystore: Keystore) -> None:
    """Without one it would end with the statement that took it."""
    with pytest.raises(TransactionManagementError):
        keystore_state(lock=True)


def test_a_row_that_is_gone_is_not_written(keystore: Keystore) -> None:
    """Neither silently nor anew; and whoever asks for it is told."""
    Keystore.objects.using("keystore").all().delete()
    with pytest.raises(DatabaseError):
        write_row(keystore, "keystore")
    with pytest.raises(Keystore.DoesNotExist, match="no row"):
        keystore_state()


@pytest.mark.parametrize(("model", "alias"), [(Keystore, "keystore"), (DatabaseMark, "default")])
def test_its_columns_need_no_converting(keystore: Keystore, model: type[models.Model], alias: str) -> None:
    """They come as the framework gives them, on either database; a column of another kind would not."""
    with transaction.atomic():
        mark_database()
    row, same = read_row(model, alias), model._default_manager.using(alias).get()
    for field in model._meta.concrete_fields:
        assert isinstance(field, PLAIN)
        assert repr(getattr(row, field.attname)) == repr(getattr(same, field.attname))
