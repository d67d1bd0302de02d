"""The end of a process at any of its writes, for tests of what must not stay half done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connections


class Killed(BaseException):
    """The process ends here."""


class Reaper:
    """Ends the process at its n-th write: a statement that changes a database, or a file that is synced."""

    def __init__(self, at: int) -> None:
        self.at, self.seen = at, 0

    def count(self) -> None:
        self.seen += 1
        if self.seen == self.at:
            raise Killed

    def wrap(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            self.count()
        return execute(sql, params, many, context)


@contextmanager
def killing(reaper: Reaper, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    sync = os.fsync

    def counted(descriptor: int) -> None:
        reaper.count()
        sync(descriptor)

    with ExitStack() as stack, monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted)
        for alias in ("default", "keystore"):
            stack.enter_context(connections[alias].execute_wrapper(reaper.wrap))
        yield
