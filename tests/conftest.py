"""What every test may ask for: a vault with keys, and the folders of this run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that runs the embedded model goes to one process: two models at once would only slow each other."""
    for item in items:
        if item.get_closest_marker("narrator") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("narrator"))


@pytest.fixture
def vault(db: None) -> Iterator[None]:
    """Root key, epoch file and keystore, new for this test."""
    from django.conf import settings

    from mindstage.ledger import book
    from mindstage.vault.keyring import found_keys
    from mindstage.vault.keys import close_vault

    configuration = settings.MINDSTAGE
    keys: Path = configuration.keys_dir
    for file in keys.iterdir():
        file.unlink()
    for folder in (configuration.escrow_dir, configuration.ledger_dir, configuration.backups_dir):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
    close_vault()
    found_keys(keys)
    book.begin_book(configuration.ledger_dir)
    yield
    close_vault()
