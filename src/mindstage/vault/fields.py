"""Sealed columns, and the one way to read them: `row.open("text", Purpose.NARRATE)`."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Self

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from mindstage.datamap.permission import may
from mindstage.datamap.questions import guards
from mindstage.datamap.reading import data_map
from mindstage.vault.keys import item_key, owner_of, text_key
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Sealed, Unreadable, open_sealed, place, seal

log = logging.getLogger(__name__)


class PurposeRefused(Exception):
    """The data map does not allow this entry to be opened for this purpose. It is a fault of the program."""


class NotPermitted(Exception):
    """The person whose text this is has not said yes to this use of it."""


class SealedField(models.BinaryField):  # type: ignore[type-arg]
    """A column that takes sealed bytes and nothing else. `entry` names what it is in the data map."""

    def __init__(self, *args: Any, entry: str = "", **kwargs: Any) -> None:
        self.entry = entry
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "entry": self.entry}

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> Sealed | None:
        return None if value is None else Sealed(value)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self.name} takes sealed bytes only")
        return super().get_db_prep_value(None if value is None else bytes(value), connection, prepared)


class SealedRow(models.Model):
    """A row with sealed columns. Its id is made before the insert, so that what is sealed is bound to it."""

    keyed_to: ClassVar[str]
    """The attribute that names whose key seals: the id of an item (a story, a character)."""
    by_account: ClassVar[bool] = False
    """True where `keyed_to` names an account: sealed under the person's own key."""

    class Meta:
        abstract = True

    def seal(self, **texts: str | bytes) -> Self:
        """Seal texts into their columns; the caller saves. Raises KeyGone."""
        for name, text in texts.items():
            plain = text.encode() if isinstance(text, str) else text
            setattr(self, name, seal_for(self, name, plain))
        return self

    def open(self, name: str, purpose: Purpose) -> str:
        """The text of a sealed column. Raises PurposeRefused, NotPermitted, KeyGone, Unreadable."""
        return self.open_bytes(name, purpose).decode()

    def open_bytes(self, name: str, purpose: Purpose) -> bytes:
        """The bytes of a sealed column. Raises PurposeRefused, NotPermitted, KeyGone, Unreadable."""
        field = self._meta.get_field(name)
        assert isinstance(field, SealedField)
        allow(field.entry, purpose, keyed_to=getattr(self, self.keyed_to))
        key, aad = _key_and_place(self, name)
        try:
            return open_sealed(key, getattr(self, name), aad)
        except Unreadable:
            # Damage, whoever asked: of a key that is gone nothing comes this far. Neither row nor person is named.
            log.error("a sealed text does not open: %s.%s", self._meta.db_table, name)
            raise


def allow(entry: str, purpose: Purpose, *, keyed_to: uuid.UUID | None = None) -> None:
    """Raises PurposeRefused unless the map lets `entry` be opened for `purpose`, NotPermitted unless its person does.

    `keyed_to`: the account or item whose key opens it: whose it is, and for the count of who opened what. Without it
    nobody can be asked, so what waits for a yes stays shut. Raises KeyGone.
    """
    _refuse_unless_allowed(entry, purpose, keyed_to)
    if keyed_to is not None:
        _count(keyed_to, purpose)


def allowing(entry: str, purpose: Purpose, *, keyed_to: uuid.UUID) -> Callable[[], None]:
    """The same for many texts under one key, asked once. What it returns is called before each opening: it counts."""
    _refuse_unless_allowed(entry, purpose, keyed_to)
    return partial(_count, keyed_to, purpose)


def _refuse_unless_allowed(entry: str, purpose: Purpose, keyed_to: uuid.UUID | None) -> None:
    if purpose not in data_map().entries[entry].opened_for:
        raise PurposeRefused(f"{entry} is not opened for {purpose}")
    for question in guards().get((entry, purpose), ()):
        if keyed_to is None or not may(owner_of(keyed_to), question):
            raise NotPermitted(f"{entry} is not opened for {purpose} without a yes")


def count_with(counter: Callable[[uuid.UUID, str], None]) -> None:
    """Let every opening be counted. Called once, by the room that keeps the counts; it is on every path: be quick."""
    global _count
    _count = counter


def _uncounted(keyed_to: uuid.UUID, purpose: str) -> None:
    """Before anybody counts."""


_count: Callable[[uuid.UUID, str], None] = _uncounted


def seal_for(row: SealedRow, name: str, plain: bytes) -> Sealed:
    """Seal bytes for one column of one row."""
    key, aad = _key_and_place(row, name)
    return seal(key, plain, aad)


def _key_and_place(row: SealedRow, name: str) -> tuple[bytes, bytes]:
    keyed_to: uuid.UUID = getattr(row, row.keyed_to)
    key = text_key(keyed_to) if row.by_account else item_key(keyed_to)
    return key, place(row._meta.db_table, name, row.pk, keyed_to)
