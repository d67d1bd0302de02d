"""What the tests of this room ask for besides the vault: a ledger that is empty, and versions of the policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from mindstage.ledger import book
from mindstage.stories.database_thread import DatabaseThread
from publishing import press  # noqa: F401 - a fixture


@pytest.fixture
def ledger(vault: None) -> Iterator[Path]:
    """The folder of an empty ledger."""
    folder: Path = settings.MINDSTAGE.ledger_dir
    folder.mkdir(exist_ok=True)
    (folder / book.NAME).unlink(missing_ok=True)
    book.begin_book(folder)
    yield folder
    (folder / book.NAME).unlink(missing_ok=True)


@pytest.fixture
def database() -> Iterator[DatabaseThread]:
    """The thread in which the raw planes ask the database."""
    thread = DatabaseThread()
    thread.start()
    yield thread
    thread.stop()
