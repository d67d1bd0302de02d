"""A lock ends with its block, whoever else has its file open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mindstage.kit.file_lock import file_lock


def handle_of(path: Path) -> int:
    """This process's handle of a file."""
    handles = Path("/proc/self/fd").iterdir()
    return next(int(handle.name) for handle in handles if handle.resolve() == path)


def test_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with file_lock(path), pytest.raises(BlockingIOError), file_lock(path, wait=False):
        pass


def test_a_process_that_is_being_started_holds_no_lock_that_was_let_go(tmp_path: Path) -> None:
    """Between fork and exec it has every handle of ours: here a second one stands for it."""
    path = tmp_path.resolve() / "lock"
    with file_lock(path):
        inherited = os.dup(handle_of(path))
    with file_lock(path, wait=False):
        os.close(inherited)
