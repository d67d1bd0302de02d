"""What somebody owns, read from the tables themselves: nothing in here knows of archives, rooms or their formats.

An export that leaves something out is equal to the next one, which leaves it out too. The rows are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mindstage.accounts.models import User
from mindstage.library.models import Character, Material
from mindstage.rights.export_models import KeptFile
from mindstage.stories.models import Draft, Segment, Story, Turn
from mindstage.vault.fields import SealedField, SealedRow
from mindstage.vault.purposes import Purpose

UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
BEGINS_ANEW = {"trashed_on", "trashed_at", "client_id"}
"""Whether there is one is compared; which one is not: days in the trash begin again, and no page sends a form again."""
NOT_TAKEN = {"owner", "saved_on", "removals"}
"""Who owns it here; a draft's day, which begins again; a count that only open pages ask for."""


def possessions(person: User) -> dict[str, list[dict[str, Any]]]:
    """Every column of every row, opened, by table, in the order in which the rows were made."""
    seen: dict[bytes, bytes] = {}

    def number(match: re.Match[bytes]) -> bytes:
        return seen.setdefault(match[0], b"#%d" % len(seen))

    def tell(row: Any) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for field in row._meta.concrete_fields:
            value = getattr(row, field.attname)
            if field.name in BEGINS_ANEW:
                told[field.name] = value is not None
            elif isinstance(field, SealedField):
                told[field.name] = value and UUID.sub(number, row.open_bytes(field.name, Purpose.EXPORT))
            elif field.name not in NOT_TAKEN:
                told[field.name] = UUID.sub(number, str(value).encode())
        return told

    return {table: [tell(row) for row in rows] for table, rows in _rows(person)}


def _rows(person: User) -> Iterable[tuple[str, Iterable[SealedRow | Segment]]]:
    """In an order in which each row stands after those that it names; a branch's turns by place and version."""
    yield "characters", Character.objects.filter(owner=person).order_by("id")
    yield "stories", Story.objects.filter(owner=person).order_by("id")
    yield "segments", Segment.objects.filter(story__owner=person).order_by("story", "id")
    yield "turns", Turn.objects.filter(story__owner=person).order_by("story", "segment", "position", "variant")
    yield "drafts", Draft.objects.filter(story__owner=person).order_by("story", "mode")
    yield "materials", Material.objects.filter(owner=person).order_by("id")
    yield "kept files", KeptFile.objects.filter(owner=person).order_by("id")
