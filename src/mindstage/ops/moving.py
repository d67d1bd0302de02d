"""When the slow date catches up by several days at once, what ends by it moves along: nobody loses days of a freeze."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Model, QuerySet

from mindstage.library.models import Character, Material
from mindstage.rights.models import ErasureRequest
from mindstage.stories.models import Story, Turn

FIELDS: Final[tuple[tuple[type[Model], str], ...]] = (
    (Story, "trashed_on"),
    (Turn, "trashed_at"),
    (Character, "trashed_on"),
    (Material, "trashed_on"),
    (ErasureRequest, "due_on"),
)
"""Every column from which the night counts to somebody's end. A test looks for others by their names."""


def move_living(by: timedelta) -> int:
    """Move every stay in the trash and every freeze by so many days; how many rows. One transaction."""
    with transaction.atomic():
        return sum(_move(_rows(model), field, by) for model, field in FIELDS)


def _rows(model: type[Model]) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._default_manager.all()
    return rows.filter(state=ErasureRequest.State.FROZEN) if model is ErasureRequest else rows


def _move(rows: QuerySet[Any], field: str, by: timedelta) -> int:
    """Day by day, the latest first, so that no row is moved twice. There are about a month of them."""
    days: list[date | datetime] = sorted(set(rows.exclude(**{field: None}).values_list(field, flat=True)), reverse=True)
    return sum(rows.filter(**{field: day}).update(**{field: day + by}) for day in days)
