"""The oldest record of each category that a clock ends, measured against its promise, and published once a day.

What is published are days and counts of days: nobody's name, and no moment finer than a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

from django.db import connections

from mindstage.datamap.reading import data_map
from mindstage.datamap.retention import spans_in
from mindstage.kit import clock
from mindstage.ops.models import RetentionReport
from mindstage.vault.clocks import slow_date

type Read = Callable[[str, str], list[tuple[Any, ...]]]
"""(database, statement) -> rows."""
type By = Literal["wall", "slow", "eager"]
"""By which date a thing ends: the wall's, the instance's own, or the later of both."""

FORMAT: Final = "mindstage-retention-1"
UNFROZEN: Final = "JOIN accounts_user u ON u.id = s.owner_id AND u.state <> 'frozen'"
"""Of a frozen account these wait until it is thawed."""
DAY: Final = timedelta(days=1)
OFTEN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Measure:
    """One category: where its oldest record stands, and where the map says how long it may stay.

    `ahead`: days that the stored date lies after the day on which the record began. `span`: which of the spans that the
    map's sentence names. `late`: of what is stored to the moment, the period of the clock that ends it; only after it
    is the promise broken. What is stored by the day has that day.
    """

    name: str
    title: str
    promise: tuple[Literal["entry", "store"], str, str]
    statement: str
    by: By = "wall"
    alias: str = "default"
    ahead: int = 0
    span: int = 0
    late: timedelta | None = None

    @property
    def sentence(self) -> str:
        """The promise in the map's words."""
        kind, key, field = self.promise
        items: Mapping[str, object] = data_map().entries if kind == "entry" else data_map().stores
        return str(getattr(items[key], field))

    @property
    def lasts(self) -> timedelta:
        """The promise."""
        return spans_in(self.sentence)[self.span]


MEASURES: Final = (
    Measure(
        "session",
        "Signed-in browsers",
        ("entry", "session", "retention_active"),
        "SELECT MIN(born) FROM accounts_session",
        late=OFTEN,
    ),
    Measure(
        "session_unused",
        "Signed-in browsers, since they were last used",
        ("entry", "session", "retention_active"),
        "SELECT MIN(seen) FROM accounts_session",
        span=1,
        late=OFTEN,
    ),
    Measure(
        "doorstep",
        "Half-way through a door",
        ("entry", "doorstep", "retention_active"),
        "SELECT MIN(born) FROM accounts_doorstep",
        late=OFTEN,
    ),
    Measure(
        "draft",
        "Drafts",
        ("entry", "draft", "retention_active"),
        f"SELECT MIN(d.saved_on) FROM stories_draft d JOIN stories_story s ON s.id = d.story_id {UNFROZEN}",  # noqa: S608 - constant words
    ),
    Measure(
        "trash_story",
        "Stories in the trash",
        ("entry", "story", "retention_after"),
        f"SELECT MIN(s.trashed_on) FROM stories_story s {UNFROZEN}",  # noqa: S608 - constant words
        by="slow",
    ),
    Measure(
        "trash_turn",
        "Turns in the trash",
        ("entry", "story", "retention_after"),
        f"SELECT MIN(t.trashed_at) FROM stories_turn t JOIN stories_story s ON s.id = t.story_id {UNFROZEN}",  # noqa: S608 - constant words
        by="slow",
    ),
    Measure(
        "trash_character",
        "Characters in the trash",
        ("entry", "character", "retention_after"),
        f"SELECT MIN(s.trashed_on) FROM library_character s {UNFROZEN}",  # noqa: S608 - constant words
        by="slow",
    ),
    Measure(
        "trash_material",
        "Personas, lorebooks and scenarios in the trash",
        ("entry", "material", "retention_after"),
        f"SELECT MIN(s.trashed_on) FROM library_material s {UNFROZEN}",  # noqa: S608 - constant words
        by="slow",
    ),
    Measure(
        "account",
        "Accounts after their deletion",
        ("entry", "handle", "retention_after"),
        "SELECT MIN(requested_on) FROM rights_erasurerequest WHERE state <> 'done'",
        by="slow",
    ),
    Measure(
        "receipt",
        "Receipts of erasures",
        ("store", "folder:receipts", "ends"),
        "SELECT MIN(completed_on) FROM rights_erasurerequest WHERE claim_hash IS NOT NULL",
        by="slow",
    ),
    Measure(
        "reserved_handle",
        "Handles that are kept back",
        ("entry", "reserved_handle", "retention_after"),
        "SELECT MIN(until) FROM vault_reservedhandle",
        by="slow",
        alias="keystore",
        ahead=30,
    ),
    Measure(
        "access_count",
        "Who opened what",
        ("entry", "access_count", "retention_active"),
        "SELECT MIN(day) FROM accounts_accesscount",
    ),
    Measure(
        "sending",
        "Who got parts of stories",
        ("entry", "sending", "retention_active"),
        "SELECT MIN(last_on) FROM gateway_sending",
    ),
    Measure(
        "notice",
        "Notices about the account",
        ("entry", "notice", "retention_active"),
        "SELECT MIN(made_on) FROM accounts_notice",
    ),
    Measure(
        "export",
        "Exports",
        ("entry", "export", "retention_active"),
        "SELECT MIN(COALESCE(ready_at, asked_at)) FROM rights_export",
        late=OFTEN,
    ),
    Measure(
        "failed_job",
        "Jobs that failed",
        ("entry", "job", "retention_active"),
        "SELECT MIN(due_at) FROM ops_job WHERE state = 'failed'",
        late=DAY,
    ),
    Measure(
        "backup",
        "Backups that can be opened",
        ("store", "folder:backups", "ends"),
        "SELECT MIN(made_on) FROM vault_backupkey",
        by="eager",
        alias="keystore",
    ),
)
"""Every category that ends by a clock of config/schedule.py. What ends with its account is in `account`."""


@dataclass(frozen=True, slots=True)
class Oldest:
    """How old the oldest record of a category is. `oldest` and `days` are None when there is none."""

    category: str
    title: str
    oldest: str | None
    days: int | None
    promised_days: int
    promise: str
    measured_by: By
    over: bool


def measure_all(read: Read, dates: Mapping[By, date]) -> Iterator[Oldest]:
    """Measure every category; `dates` says what day it is by each of the three dates."""
    for each in MEASURES:
        began = _began(each, read(each.alias, each.statement))
        day = began.date() if began else None
        days = None if day is None else max(0, (dates[each.by] - day).days)
        promised = max(1, each.lasts.days)
        over = began is not None and _is_over(each, began, dates[each.by])
        said = day.isoformat() if day else None
        yield Oldest(each.name, each.title, said, days, promised, each.sentence, each.by, over)


def dates_by(slow: date) -> dict[By, date]:
    """Today, by the wall, by the instance's own date, and by the later of both."""
    today = clock.today()
    return {"wall": today, "slow": slow, "eager": max(today, slow)}


def publish_retention() -> None:
    """Measure, and replace what is published. A clock runs it."""
    found = [asdict(oldest) for oldest in measure_all(_read, dates_by(slow_date()))]
    RetentionReport.objects.update_or_create(pk=1, defaults={"measured_on": clock.today(), "content": found})


def published() -> dict[str, Any]:
    """What `/transparency/retention.json` says."""
    row = RetentionReport.objects.filter(pk=1).first()
    return {
        "format": FORMAT,
        "measured_on": row.measured_on.isoformat() if row else None,
        "categories": row.content if row else [],
    }


def _began(each: Measure, rows: list[tuple[Any, ...]]) -> datetime | None:
    """SQLite says days and moments as text, a server as values; a day is its first moment. In UTC."""
    value = rows[0][0] if rows else None
    if value is None:
        return None
    began = datetime.fromisoformat(str(value)) - each.ahead * DAY
    return began.astimezone(UTC) if began.tzinfo else began.replace(tzinfo=UTC)


def _is_over(each: Measure, began: datetime, today: date) -> bool:
    if each.late is not None:
        return clock.now() - began > each.lasts + each.late
    return today - began.date() > each.lasts


def _read(alias: str, statement: str) -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
