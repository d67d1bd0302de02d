"""Open a thing of one's own, of which something else is made; or say which one it is that does not open."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from mindstage.library.cards import CardRefused
from mindstage.vault.keys import KeyGone
from mindstage.vault.sealing import Unreadable


class NotOpened(Exception):
    """A thing of one's own cannot be opened any more. Nothing was begun or made with it."""

    def __init__(self, kind: str, ident: uuid.UUID) -> None:
        super().__init__(kind)
        self.kind = kind
        self.ident = ident


@contextmanager
def opening(kind: str, ident: uuid.UUID) -> Iterator[None]:
    """Whatever keeps the thing from being opened in this block is said as NotOpened."""
    try:
        yield
    except (KeyGone, Unreadable, CardRefused) as fault:
        raise NotOpened(kind, ident) from fault
