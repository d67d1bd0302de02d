"""Personas, lorebooks and scenarios of one's own: make one, list them, open one, correct it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from mindstage.accounts.models import User
from mindstage.kit import ids
from mindstage.library.contents import (
    BLANK,
    Json,
    add_one,
    check_name,
    check_texts,
    drop_emptied,
    list_texts,
    pack,
    put_texts,
)
from mindstage.library.correctable import Group, pick_changes, typed_anew
from mindstage.library.models import Material
from mindstage.library.stage_texts import offered
from mindstage.streaming.raw import Refused
from mindstage.vault.keys import KeyGone, create_item_key
from mindstage.vault.marks import mark_database
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

PAGE = 60
REMOVALS: Final = "removals"
"""Under this name a page's marks say how often something had been removed when it was made."""


class Removed(Refused):
    """Another tab removed an entry or a member since the page was opened, and those behind it moved up."""

    status = 409
    sentence = (
        "Another tab has removed something from this list since the page was opened, so it is not certain where your "
        "words belong. Nothing was changed. They stand here, to be copied to their place."
    )


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """One of a list. `name` is None where it cannot be opened any more."""

    id: uuid.UUID
    name: str | None = field(repr=False)

    @property
    def made_at(self) -> datetime | None:
        """When it was made: what tells two of one name apart."""
        return ids.made_at(self.id)


def make_material(*, owner: uuid.UUID, kind: str, name: str, content: Json | None = None) -> Material:
    """Keep something new for `owner` (an account's id). Raises Refused, CardRefused, with nothing stored; KeyGone."""
    content = BLANK[kind] if content is None else content
    called, packed = check_name(kind, name), pack(kind, content)
    check_texts(kind, called, content)
    row = Material(owner_id=owner, kind=kind)
    create_item_key(row.pk, owner=owner)
    row.seal(name=called, content=packed)
    with transaction.atomic():
        if not User.objects.select_for_update().filter(pk=owner, state=User.State.ACTIVE).exists():
            raise KeyGone
        row.save(force_insert=True)
        mark_database()
    return row


def list_materials(
    owner: uuid.UUID, kind: str, *, before: uuid.UUID | None = None, most: int | None = None
) -> list[MaterialLine]:
    """Those of one kind, the newest first, `most` (or PAGE) at most; with `before`, those older than that one."""
    rows = _of_kind(owner, kind).only("id", "name").order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_line(row) for row in rows[: most or PAGE]]


def count_materials(owner: uuid.UUID, kind: str) -> int:
    """How many of one kind there are. None is opened."""
    return _of_kind(owner, kind).count()


def find_material(owner: uuid.UUID, ident: uuid.UUID, kind: str) -> Material | None:
    """A material of that person and kind, or None: another's is as if it did not exist."""
    return Material.objects.filter(pk=ident, owner=owner, kind=kind, trashed_on=None).first()


def open_content(material: Material, purpose: Purpose) -> Json:
    """What stands in it. Raises KeyGone."""
    content: Json = json.loads(material.open_bytes("content", purpose))
    return content


def list_correctable(material: Material, typed: Container[str] = ()) -> list[Group]:
    """What can be corrected; also the texts (paths) `typed`, if they are empty. Raises KeyGone, CardRefused."""
    name, content = material.open("name", Purpose.SHOW), open_content(material, Purpose.SHOW)
    return offered(list(list_texts(material.kind, name, content)), typed)


def correct_material(
    *, material: Material, texts: Mapping[str, str], seen: Mapping[str, str], one_more: str = ""
) -> None:
    """Write the texts (path -> text) anew. `seen`: the marks of what the page showed, and its REMOVALS.

    `one_more`: a lorebook gets one more entry, to be written; a scenario one more of its `cast` or `lore`. Of these,
    one whose texts were all emptied goes. Raises Refused (Removed), CardRefused, Meanwhile, with nothing changed;
    KeyGone.
    """
    while not _correct(material.pk, texts, seen, one_more):
        pass  # another tab was faster, so its words are there now


def _correct(ident: uuid.UUID, texts: Mapping[str, str], seen: Mapping[str, str], one_more: str) -> bool:
    """Write what becomes of the row as it is now, unless it has changed meanwhile.

    A large book takes a fifth of a second to read and to seal: nobody else's writing waits for that.
    """
    row = Material.objects.get(pk=ident)
    same = Material.objects.filter(pk=ident, name=row.name, content=row.content)
    name, content = row.open("name", Purpose.SHOW), open_content(row, Purpose.SHOW)
    fields = [one for group in list_texts(row.kind, name, content) for one in group.fields]
    if seen and seen.get(REMOVALS) != str(row.removals) and rows_of(typed_anew(texts, seen)):
        raise Removed
    changes = pick_changes(fields, texts, seen)
    changes = [(one, check_name(row.kind, text) if one.path == "name" else text) for one, text in changes]
    for called in (text for one, text in changes if one.path == "name"):
        row.seal(name=called)
    put_texts(row.kind, content, changes)
    if drop_emptied(row.kind, content, rows_of(one.path for one, _ in changes)):
        row.removals += 1
    if one_more:
        add_one(row.kind, content, one_more)
    row.seal(content=pack(row.kind, content))
    with transaction.atomic():
        if not same.update(name=row.name, content=row.content, removals=row.removals):
            return False
        mark_database()
    return True


def rows_of(paths: Iterable[str]) -> set[str]:
    """The entries and members that texts belong to: `entries.2` of `entries.2.name`."""
    return {".".join(path.split(".")[:2]) for path in paths if path.count(".") > 1}


def _of_kind(owner: uuid.UUID, kind: str) -> QuerySet[Material]:
    return Material.objects.filter(owner=owner, kind=kind, trashed_on=None)


def _line(row: Material) -> MaterialLine:
    try:
        return MaterialLine(row.pk, row.open("name", Purpose.SHOW))
    except (KeyGone, Unreadable):
        return MaterialLine(row.pk, None)
