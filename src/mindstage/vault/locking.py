"""One writer at a time for keystore copies, epoch file, escrow and ledger, across all processes of this machine."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

NAME = "vault.lock"
_local = threading.local()
_process = threading.Lock()


@contextmanager
def vault_lock() -> Iterator[None]:
    """Held while something durable is written. The kernel lets go of it when a process dies; it may be nested."""
    if getattr(_local, "depth", 0):
        yield
        return
    with _process:
        descriptor = os.open(settings.MINDSTAGE.keys_dir / NAME, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _local.depth = 1
            yield
        finally:
            _local.depth = 0
            os.close(descriptor)
