"""How long things are kept: what the map promises, and what an operator may choose, which is never longer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from django.conf import settings

from mindstage.datamap.reading import DataMap, data_map

DAYS: Final = {"day": 1, "month": 30, "year": 365}
SPANS: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)} | {
    name: timedelta(days=days) for name, days in DAYS.items()
}
type Promise = tuple[str, str, str]
"""A sentence of the map: kind, id, field."""

PROMISES: Final[Mapping[str, tuple[Promise, ...]]] = {
    "session": (("entry", "session", "retention_active"),),
    "draft": (("entry", "draft", "retention_active"),),
    "trash": tuple(("entry", kind, "retention_after") for kind in ("story", "character", "material")),
    "backups": (("store", "folder:backups", "ends"),),
}
"""What can be kept for a shorter time by `[retention]` in mindstage.toml -> where the map says how long at most."""


class KeptTooLong(Exception):
    """An operator's retention is longer than the policy's. Its text is one sentence for them."""


def promised_days(name: str, declared: DataMap | None = None) -> int:
    """Days that the map allows at most. Raises KeyError for a name that cannot be chosen."""
    return min(_days_of(promise, declared or data_map()) for promise in PROMISES[name])


def _days_of(promise: Promise, declared: DataMap) -> int:
    kind, key, field = promise
    items: Mapping[str, object] = declared.entries if kind == "entry" else declared.stores
    days = days_in(getattr(items[key], field))
    assert days is not None, f"{kind} {key} promises no number of days"
    return days


def kept_days(name: str, shorter: Mapping[str, int]) -> int:
    """Days that this instance keeps something: the operator's number, or the promise."""
    promised = promised_days(name)
    return min(promised, shorter.get(name, promised))


def kept_for(name: str) -> timedelta:
    """How long this instance keeps something: what its clocks go by."""
    return timedelta(days=kept_days(name, settings.MINDSTAGE.retention))


def with_choice(sentence: str, promise: Promise, shorter: Mapping[str, int]) -> str:
    """A promise's sentence, and after it the shorter time that the operator chose for it."""
    chosen = next((days for name, days in shorter.items() if promise in PROMISES[name]), None)
    return f"{sentence} On this copy: {in_days(chosen)}." if chosen else sentence


def in_days(days: int) -> str:
    """A time in words."""
    return f"{days} day{'' if days == 1 else 's'}"


AFTER_THAW: Final = timedelta(days=7)
"""No clock runs for what a frozen account keeps from its owner; once thawed it lasts at least so long."""


def begun_after_thaw(name: str, today: date) -> date:
    """What began before that day is taken to have begun on it, so that its owner has a week to see to it."""
    return today - max(timedelta(0), kept_for(name) - AFTER_THAW)


def days_in(sentence: str) -> int | None:
    """The first span of a sentence in days: "30 days, 7 without use" -> 30; None when it names none."""
    found = re.search(r"(\d+) (day|month|year)s?", sentence)
    if found is None:
        return 365 if re.search(r"\ba year\b", sentence) else None
    return int(found[1]) * DAYS[found[2]]


def spans_in(sentence: str) -> list[timedelta]:
    """All spans of a sentence, in its order: "30 days, 7 without use" -> 30 days, 7 days."""
    found = re.finditer(rf"(\d+) (?:({'|'.join(SPANS)})s?\b|without use)", sentence)
    return [int(each[1]) * SPANS[each[2] or "day"] for each in found]


def refuse_longer(shorter: Mapping[str, int]) -> None:
    """Raises KeptTooLong for a retention that the policy does not know, or that is longer than it promises."""
    for name, days in shorter.items():
        if name not in PROMISES:
            known = ", ".join(PROMISES)
            raise KeptTooLong(f"[retention] has {name}, which Mindstage does not know; it knows {known}.")
        if not 1 <= days <= promised_days(name):
            raise KeptTooLong(
                f"[retention] keeps {name} for {days} days; the policy promises {promised_days(name)} at most, and an "
                "instance may only keep things shorter."
            )
