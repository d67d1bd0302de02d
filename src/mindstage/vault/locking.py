"""One writer at a time for keystore copies, epoch file, escrow and ledger, across all processes of this machine.

Of this machine alone: an instance runs on one, wherever its databases lie. docs/subsystems/restore.md
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from mindstage.kit.file_lock import file_lock

NAME = "vault.lock"
_local = threading.local()
_process = threading.Lock()


@contextmanager
def vault_lock() -> Iterator[None]:
    """Held while something durable is written. It may be nested."""
    if getattr(_local, "depth", 0):
        yield
        return
    with _process, file_lock(settings.MINDSTAGE.keys_dir / NAME):
        try:
            _local.depth = 1
            yield
        finally:
            _local.depth = 0
