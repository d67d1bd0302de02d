"""Who acts: a person on their own pages, the program by itself, or whoever runs the machine, by a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

YOU: Final = "you"
PROGRAM: Final = "program"
OPERATOR: Final = "operator"

_acting: ContextVar[str] = ContextVar("acting", default=YOU)


def who_acts() -> str:
    """YOU unless it is known better."""
    return _acting.get()


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Until the end of the block, in this thread."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)
