"""A new instance for a test: keys of its own, and nobody in it."""

from __future__ import annotations

import shutil
from pathlib import Path


def found_instance() -> None:
    """Keys, escrow, ledger and backups of a new instance, in place of whatever lay there."""
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
