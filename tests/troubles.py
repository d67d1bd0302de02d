"""A keystore that is locked or gone, here and on other threads' connections, or a full disk: while a block lasts."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

from django.db import OperationalError, connections

type Elsewhere = Callable[[Callable[[], None]], object]
"""Does a deed on another thread, which has a connection of its own, and waits for it."""
type Trouble = Callable[..., AbstractContextManager[None]]


@contextmanager
def locked(*elsewhere: Elsewhere) -> Iterator[None]:
    """Another program holds the keystore's file for longer than anybody waits."""

    def hurry() -> None:
        with connections["keystore"].cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")

    _everywhere(elsewhere, hurry)
    with closing(sqlite3.connect(str(connections["keystore"].settings_dict["NAME"]), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def gone(*elsewhere: Elsewhere, after: int = 0) -> Iterator[None]:
    """Its server or its disk does not answer any more, once it has answered `after` times."""
    answers = after

    def refuse(execute: Any, *asked: Any) -> Any:
        nonlocal answers
        if not answers:
            raise OperationalError("gone")
        answers -= 1
        return execute(*asked)

    _everywhere(elsewhere, lambda: connections["keystore"].execute_wrappers.append(refuse))
    try:
        yield
    finally:
        _everywhere(elsewhere, lambda: connections["keystore"].execute_wrappers.clear())


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """What a full disk does: a write past `size` bytes fails, after those before it have reached the disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _everywhere(elsewhere: tuple[Elsewhere, ...], deed: Callable[[], None]) -> None:
    for do in (lambda one: one(), *elsewhere):
        do(deed)
