"""Look again at somebody who was erased: does any of their sealed texts still open, and what of them is still there?

The first is tried between the end of the keys and the end of the rows, the only time at which it can be: through the
one door by which texts are opened, and in the process that opened them before, so that a key in its memory counts too.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db.models import ForeignKey, Model, QuerySet

from mindstage.accounts.models import User
from mindstage.datamap.holdings import holdings
from mindstage.vault.fields import SealedField, SealedRow
from mindstage.vault.keys import KeyGone
from mindstage.vault.models import ItemKey, UserKey
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

KEYS: Final = "database:keystore keys"
MOST: Final = 500
"""Rows of one table that are tried: the oldest and the newest. Every story and character has a row of its own."""
AT_ONCE: Final = 20
"""Rows in memory: a kept file may be large."""


@dataclass(frozen=True, slots=True)
class Tried:
    """So many sealed texts were tried. Of so many there was still a key, namely of these accounts and items."""

    texts: int
    opened: int = 0
    keys: frozenset[uuid.UUID] = frozenset()


def try_to_open(account: uuid.UUID) -> Tried:
    """Try the sealed texts of a person whose keys are destroyed. Raises PurposeRefused, DatabaseError.

    Only a key that is gone counts as shut. What a key is there for and does not open is no better than what opens.
    """
    tried = [_has_key(row, name) for row in _rows_of(account) for name in _sealed_columns(row)]
    left = [key for key in tried if key is not None]
    return Tried(len(tried), len(left), frozenset(left))


def count_left(account: uuid.UUID) -> dict[str, int]:
    """What is there of a person, by place: rows of every room, and keys."""
    found = {finding.place: finding.count for holding in holdings() for finding in holding.remains(account)}
    keys = UserKey.objects.using("keystore").filter(pk=account).count()
    keys += ItemKey.objects.using("keystore").filter(owner=account).count()
    return {**found, KEYS: keys} if keys else found


def sealed_models() -> list[type[SealedRow]]:
    """Every table with texts under keys of people or of what is theirs: none has to be named here."""
    return [model for model in apps.get_models() if issubclass(model, SealedRow)]


def way_to_owner(model: type[Model]) -> str:
    """The look-up that leads from a row to the account whose it is, along its foreign keys. Raises LookupError."""
    way = _way(model, seen=frozenset())
    if way is None:
        raise LookupError(f"{model._meta.label} is sealed under somebody's key, and no foreign key leads to whose")
    return way or "pk"


def _way(model: type[Model], *, seen: frozenset[type[Model]]) -> str | None:
    if model is User:
        return ""
    links = [field for field in model._meta.local_fields if isinstance(field, ForeignKey)]
    for link in sorted(links, key=lambda link: link.related_model is not User):  # straight there, if it can be
        target: Any = link.related_model
        if target not in seen and (rest := _way(target, seen=seen | {model})) is not None:
            return f"{link.name}__{rest}".removesuffix("__")
    return None


def _rows_of(account: uuid.UUID) -> Iterator[SealedRow]:
    for model in sealed_models():
        yield from _sample(model._default_manager.filter(**{way_to_owner(model): account}))


def _sample(rows: QuerySet[SealedRow]) -> Iterator[SealedRow]:
    half, last = MOST // 2, None
    for at, row in enumerate(rows.order_by("pk")[:half].iterator(AT_ONCE), start=1):
        last = row.pk if at == half else None
        yield row
    if last is not None:
        yield from rows.filter(pk__gt=last).order_by("-pk")[:half].iterator(AT_ONCE)


def _sealed_columns(row: SealedRow) -> Iterator[str]:
    for field in row._meta.local_fields:
        if isinstance(field, SealedField) and getattr(row, field.name) is not None:
            yield field.name


def _has_key(row: SealedRow, name: str) -> uuid.UUID | None:
    """Whose key it is that was left; None when it is gone."""
    keyed_to: uuid.UUID = getattr(row, row.keyed_to)
    try:
        row.open_bytes(name, Purpose.VERIFY)
    except KeyGone:
        return None
    except Unreadable:
        return keyed_to
    return keyed_to
