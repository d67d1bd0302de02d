"""What is held about one person, counted: each entry of the data map with its live rows, bytes and ends.

Whose a row is, is read off the models: an account, an owner, or the story that a row belongs to.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db.models import BinaryField, Min, Model, QuerySet, Sum
from django.db.models.functions import Length
from django.urls import reverse

from mindstage.accounts.sessions import IDLE
from mindstage.datamap.content import in_words
from mindstage.datamap.policy import typeset
from mindstage.datamap.reading import Entry, data_map
from mindstage.datamap.retention import kept_for, with_choice
from mindstage.gateway.sendings import Sent, list_sent
from mindstage.rights.export import bytes_on_disk
from mindstage.vault.models import ItemKey, UserKey

OWN = ("account", "owner", "story__owner", "story__account")
WHERE = {
    "user": "Sealed with your key, on this machine.",
    "item": "Each sealed with a key of its own under yours, on this machine.",
    "none": "In the database of this machine; it holds no words of yours.",
    "epoch": "Wrapped, in a database of their own, on this machine.",
}
SOURCES: Final[Mapping[str, str]] = {
    "direct": "You gave it.",
    "derived": "Made from what you gave.",
    "automatic": "Made by the program.",
}

type End = tuple[str, str, Callable[[], int]]
"""A model, the column that says since when (or, with 0 days, until when), and the days that such a row is kept."""


def _kept(name: str) -> Callable[[], int]:
    return lambda: kept_for(name).days


ENDS: Final[Mapping[str, tuple[End, ...]]] = {
    "session": (
        ("accounts.Session", "born", _kept("session")),
        ("accounts.Session", "seen", lambda: min(IDLE.days, _kept("session")())),
    ),
    "draft": (("stories.Draft", "saved_on", _kept("draft")),),
    "notice": (("accounts.Notice", "made_on", lambda: 365),),
    "access_count": (("accounts.AccessCount", "day", lambda: 365),),
    "sending": (("gateway.Sending", "last_on", lambda: 365),),
    "export": (("rights.Export", "ready_at", lambda: 1),),
    "story": (("stories.Story", "trashed_on", _kept("trash")), ("stories.Turn", "trashed_at", _kept("trash"))),
    "character": (("library.Character", "trashed_on", _kept("trash")),),
    "material": (("library.Material", "trashed_on", _kept("trash")),),
    "erasure_request": (("rights.ErasureRequest", "due_on", lambda: 0),),
}
"""Entries of which something ends by itself while the account is in use. A test finds those that are missing here."""
UNLESS: Final = {"session": ", if it is not used again", "draft": ", if it is not changed again"}
"""What moves such a day."""
FILES: Final[Mapping[str, Callable[[uuid.UUID], int]]] = {"export": bytes_on_disk}
"""Entries of which something lies in files: the bytes of one person's."""
SEEN: Final[Mapping[str, tuple[str, str]]] = {
    "handle": ("account", "See and change"),
    "credential": ("account", "Change"),
    "age_band": ("age_band", "See and correct"),
    "session": ("#sessions", "See and end them"),
    "factor": ("account", "See and change"),
    "email": ("account", "See and change"),
    "notice": ("account#told", "Read them"),
    "character": ("characters", "Look inside, or delete"),
    "material": ("own_personas", "Look inside, or delete"),
    "story": ("stories", "Look inside, or delete"),
    "draft": ("stories", "Each stands in its story"),
    "access_count": ("#opened", "See each line"),
    "sending": ("#sent", "See each line"),
    "consents": ("#consents", "See and change"),
    "export": ("exports", "Fetch, or throw away"),
    "kept_file": ("exports", "They are in the archive"),
}
"""Where what is in an entry can be seen: the name of a page, a part of it or of this one; and what its link says."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that is held. `rows` and `size` (bytes) are of this moment."""

    id: str
    title: str
    what: str
    why: str
    ground: str
    source: str
    active: str
    after: str
    where: str
    who: str
    ends: str
    rows: int
    size: int
    see: tuple[str, str] | None = None
    """Address and words of a link to what is in it."""


def list_kinds(person: uuid.UUID) -> list[Kind]:
    """Every entry of the data map, as it stands for one person."""
    sent = list_sent(person)
    return [_kind(entry, person, sent) for entry in data_map().entries.values()]


def _kind(entry: Entry, person: uuid.UUID, sent: list[Sent]) -> Kind:
    rows, size = _measure(entry, person)
    return Kind(
        id=entry.id,
        title=typeset(entry.title),
        what=typeset(_sentence(entry.note)),
        why=_sentence(in_words(entry.purpose)),
        ground=_sentence(entry.basis),
        source=SOURCES[entry.source],
        active=_kept_here(entry, "retention_active"),
        after=_kept_here(entry, "retention_after"),
        where=WHERE.get(entry.sealed, "Sealed, on this machine."),
        who=_recipients(entry, sent),
        ends=_ends(entry, person) if rows else "",
        rows=rows,
        size=size,
        see=_see(entry.id),
    )


def _see(kind: str) -> tuple[str, str] | None:
    if kind not in SEEN:
        return None
    place, words = SEEN[kind]
    page, mark, part = place.partition("#")
    return f"{reverse(page) if page else ''}{mark}{part}", words


def _kept_here(entry: Entry, field: str) -> str:
    sentence = _sentence(getattr(entry, field))
    return with_choice(sentence, ("entry", entry.id, field), settings.MINDSTAGE.retention)


def _ends(entry: Entry, person: uuid.UUID) -> str:
    """On which day the first of them ends by itself; when none does, who ends it."""
    days = [day for end in ENDS.get(entry.id, ()) if (day := _first_end(end, person))]
    if not days:
        return "Nothing of it by itself."
    first = min(days)
    return f"The first by itself on {first:%d %B %Y}{UNLESS.get(entry.id, '')}.".replace(" 0", " ")


def _first_end(end: End, person: uuid.UUID) -> date | None:
    label, column, days = end
    rows = owned(label, person)
    began = None if rows is None else rows.aggregate(first=Min(column))["first"]
    if began is None:
        return None
    return (began.date() if isinstance(began, datetime) else began) + timedelta(days=days())


def _recipients(entry: Entry, sent: list[Sent]) -> str:
    """Who really received it: of narrators, those elsewhere that wrote for this person."""
    if not entry.recipients:
        return "Nobody."
    if not all("narrator" in one for one in entry.recipients):
        return _sentence("; ".join(entry.recipients))
    if sent:
        return f"Parts of it: {'; '.join(map(_name, sent))}."
    away = any(provider.kind != "embedded" for provider in settings.MINDSTAGE.providers)
    return f"Nobody{'' if away else '. The narrators of this copy run on this machine'}."


def _name(sent: Sent) -> str:
    return f"{sent.provider} ({sent.place or 'region not stated'}), {sent.last_on:%d %B %Y}".replace(" 0", " ")


def _measure(entry: Entry, person: uuid.UUID) -> tuple[int, int]:
    """(rows, sealed bytes) of one entry. The model with the sealed fields is counted, or the first."""
    fields = entry.fields or entry.metadata
    count = size = 0
    for label in dict.fromkeys(path.rpartition(".")[0] for path in fields):
        rows = owned(label, person)
        if rows is not None:
            sealed = [path.rpartition(".")[2] for path in entry.fields if path.startswith(f"{label}.")]
            count += rows.count()
            size += _bytes(rows, sealed)
    return count, size + (FILES[entry.id](person) if entry.id in FILES else 0)


def _bytes(rows: QuerySet[Any], columns: list[str]) -> int:
    if not columns:
        return 0
    sums = rows.aggregate(**{f"in_{name}": Sum(Length(name)) for name in columns})
    return sum(value or 0 for value in sums.values())


def owned(label: str, person: uuid.UUID) -> QuerySet[Any] | None:
    """The rows of a model that belong to a person; None for a model in which nobody's name stands."""
    model = apps.get_model(label)
    if model is UserKey:
        return UserKey.objects.using("keystore").filter(pk=person)
    if model is ItemKey:
        return ItemKey.objects.using("keystore").filter(owner=person)
    if label == settings.AUTH_USER_MODEL:
        return _rows(model, "pk", person)
    found = _path(label)
    return None if found is None else _rows(model, found, person)


def _rows(model: type[Model], path: str, person: uuid.UUID) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._default_manager.filter(**{path: person})
    return rows


@cache
def _path(label: str) -> str | None:
    model = apps.get_model(label)
    return next((path for path in OWN if _has(model, path.split("__"))), None)


def _has(model: type[Model], names: list[str]) -> bool:
    try:
        field = model._meta.get_field(names[0])
    except FieldDoesNotExist:
        return False
    if isinstance(field, BinaryField):
        return False
    related = getattr(field, "related_model", None)
    return len(names) == 1 or (isinstance(related, type) and _has(related, names[1:]))


@dataclass(frozen=True, slots=True)
class Share:
    """One part of the bar: from `before` to `before + width`, in percent."""

    title: str
    size: int
    before: float
    width: float
    tint: int


def share_out(kinds: list[Kind]) -> list[Share]:
    """The sealed bytes by kind, the largest first."""
    sized = sorted((kind for kind in kinds if kind.size), key=lambda kind: -kind.size)[:5]
    return list(_shares(sized))


def _shares(kinds: list[Kind]) -> Iterator[Share]:
    total, before = sum(kind.size for kind in kinds) or 1, 0.0
    for at, kind in enumerate(kinds):
        width = 100 * kind.size / total
        yield Share(kind.title, kind.size, round(before, 2), round(width, 2), max(1, 6 - at))
        before += width


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".") if words else ""
