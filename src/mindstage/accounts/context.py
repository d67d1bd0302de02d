"""What every template may know of the person who asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest

from mindstage.accounts.access import visitor_of
from mindstage.accounts.sessions import Visitor
from mindstage.vault.keys import KeyGone
from mindstage.vault.sealing import Unreadable

UNREADABLE = "?"
"""In place of a handle that does not open just now."""


@dataclass
class Person:
    """The one who is signed in. The handle is opened only where a page prints it."""

    visitor: Visitor

    @cached_property
    def handle(self) -> str:
        """For the head of a page: also of one that says that the keystore is away, or a key lost."""
        try:
            return self.visitor.open_handle()
        except (KeyGone, Unreadable, DatabaseError):
            return UNREADABLE

    @property
    def owner(self) -> bool:
        return self.visitor.owner

    @property
    def new_notices(self) -> int:
        return self.visitor.new_notices


def who_is_here(request: HttpRequest) -> dict[str, Any]:
    """`person`: a Person, or None."""
    visitor = visitor_of(request)
    return {"person": Person(visitor) if visitor else None}
