"""Released versions of the policy: frozen maps, each chained to the one before, and what the coming one will say.

`releases/<n>.json` is never edited: the next one carries its hash. Between two releases `coming.toml` says in a
sentence for people what is different already; `mindstage policy release` freezes the map and empties that file.
docs/subsystems/policy.md
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from mindstage.datamap.content import ONES_OWN, Content, present
from mindstage.datamap.differences import Difference, changed_purposes, changed_things, compare
from mindstage.datamap.reading import MapFault

FOLDER: Final = Path(__file__).with_name("releases")
COMING: Final = Path(__file__).with_name("coming.toml")
NOTICE: Final = timedelta(days=30)
"""How long before it holds a version is announced."""

NO_CHANGES: Final = """\
# What the next version of the policy will say differently. One [[change]] for each thing or group of things:
#   [[change]]
#   of = ["entry:email", "door:mail server"]
#   says = "One sentence for the people whose data it is."
# `mindstage policy diff` lists what has changed since the last release; docs/subsystems/policy.md tells the rest.
"""


@dataclass(frozen=True, slots=True)
class Release:
    """One version. `hash` is the SHA-256 of its file, which the next version names."""

    number: int
    made_on: date
    effective_on: date
    summary: tuple[str, ...]
    content: Content
    hash: str


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the coming version's summary, and what of the map it is about."""

    of: tuple[str, ...]
    says: str


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """Something that keeps the map and its releases apart. `hint` says what to write where."""

    sentence: str
    hint: str
    id: str


@cache
def releases() -> tuple[Release, ...]:
    """Every version, oldest first. Raises MapFault."""
    return read_releases(FOLDER)


def read_releases(folder: Path) -> tuple[Release, ...]:
    """The versions of a folder, verified: numbered without a gap and chained. Raises MapFault."""
    found: list[Release] = []
    for number in range(1, len(list(folder.glob("*.json"))) + 1):
        found.append(_read(folder / f"{number}.json", number, found[-1] if found else None))
    return tuple(found)


def _read(path: Path, number: int, before: Release | None) -> Release:
    try:
        written = path.read_bytes()
        frozen = json.loads(written)
        release = Release(
            number=int(frozen["number"]),
            made_on=date.fromisoformat(frozen["made_on"]),
            effective_on=date.fromisoformat(frozen["effective_on"]),
            summary=tuple(frozen["summary"]),
            content=frozen["content"],
            hash=hashlib.sha256(written).hexdigest(),
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise MapFault(
            f"releases/{number}.json is missing or cannot be read; take it back out of the history"
        ) from None
    if release.number != number or frozen["previous"] != (before.hash if before else ""):
        raise MapFault(f"releases/{number}.json does not follow the version before it: a released version was changed")
    if before and release.effective_on < release.made_on + NOTICE:
        raise MapFault(f"releases/{number}.json would hold less than {NOTICE.days} days after it was announced")
    return release


def read_coming(text: str) -> tuple[Change, ...]:
    """The lines of coming.toml. Raises MapFault."""
    try:
        return tuple(Change(tuple(item["of"]), str(item["says"])) for item in tomllib.loads(text).get("change", []))
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        raise MapFault("coming.toml cannot be read: each [[change]] has `of`, a list, and `says`, a sentence") from None


def coming() -> tuple[Change, ...]:
    """What is announced for the next version. Raises MapFault."""
    return read_coming(COMING.read_text())


def find_policy_faults(done: Sequence[Release], now: Content, announced: Sequence[Change]) -> Iterator[PolicyFault]:
    """What differs from the last version without being announced, and what is announced and does not differ."""
    if not done:
        yield PolicyFault("No version of the policy was released", "Run `mindstage policy release`.", "datamap.E020")
        return
    differences = compare(done[-1].content, now)
    told = {of for change in announced for of in change.of}
    for of in changed_things(differences):
        if of not in told:
            yield _unannounced(of, done[-1].number, [found for found in differences if found.of == of])
    for of in sorted(told - set(changed_things(differences))):
        yield PolicyFault(
            f"coming.toml announces {of}, which is as it was in version {done[-1].number}",
            "Take it out of `of`, or spell it as `mindstage policy diff` does.",
            "datamap.E021",
        )
    yield from _unguarded(done, now)
    for change in announced:
        if not change.says.strip():
            yield PolicyFault(
                "coming.toml has a change that says nothing", "Write a sentence for people.", "datamap.E022"
            )


def _unguarded(done: Sequence[Release], now: Content) -> Iterator[PolicyFault]:
    """Entries with another purpose, to which nobody's no could be kept."""
    for key, entry in now["entry"].items():
        known = next((one.content["entry"][key] for one in reversed(done) if key in one.content["entry"]), None)
        if known is None or known["purpose"] == entry["purpose"]:
            continue
        if not entry["fields"]:
            yield PolicyFault(
                f"entry:{key} has another purpose and is not sealed, so nobody's no could be kept",
                "Give it back the purpose it had. Let the new use have a sealed field, in an entry of its own under a "
                "[[consent]]: the vault then asks first.",
                "datamap.E024",
            )
        elif set(entry["opened_for"]) <= {*known["opened_for"], *ONES_OWN}:
            yield PolicyFault(
                f"entry:{key} has another purpose and is opened for nothing new, so nobody's no could be kept",
                "Name the new use in vault/purposes.py and in opened_for, and open with it: the vault then asks first.",
                "datamap.E024",
            )


def _unannounced(of: str, number: int, differences: Sequence[Difference]) -> PolicyFault:
    keys = ", ".join(found.key for found in differences if found.key)
    what = f"{of} was {differences[0].how} since version {number} of the policy{f' ({keys})' if keys else ''}"
    hint = f'Add to src/mindstage/datamap/coming.toml: [[change]] of = ["{of}"] says = "One sentence for people."'
    return PolicyFault(f"{what}, and nobody is told", hint, "datamap.E020")


def earliest_day(done: Sequence[Release], today: date) -> date:
    """From which day on a version made today may hold: the first at once, any other after its notice."""
    return today + NOTICE if done else today


def freeze(
    done: Sequence[Release], now: Content, announced: Iterable[Change], *, today: date, effective: date | None = None
) -> dict[str, Any]:
    """The next version as its file will hold it. Raises MapFault when it would hold too soon, or changes nothing."""
    earliest = earliest_day(done, today)
    chosen = effective or earliest
    if chosen < earliest:
        raise MapFault(f"A new version holds from {earliest} at the earliest, {NOTICE.days} days after it is announced")
    if done and done[-1].content == now:
        raise MapFault(f"Nothing has changed since version {done[-1].number}; there is nothing to release")
    if faults := [fault for fault in find_policy_faults(done, now, tuple(announced)) if done]:
        raise MapFault(f"{faults[0].sentence}. {faults[0].hint}")
    return {
        "number": len(done) + 1,
        "made_on": today.isoformat(),
        "effective_on": chosen.isoformat(),
        "summary": [change.says for change in announced] or ["The first version."],
        "previous": done[-1].hash if done else "",
        "content": now,
    }


def write_release(frozen: dict[str, Any], *, folder: Path = FOLDER, coming_file: Path = COMING) -> Path:
    """Write a frozen version and empty what was announced. Raises FileExistsError, OSError."""
    path = folder / f"{frozen['number']}.json"
    with path.open("x", encoding="utf-8") as file:
        file.write(json.dumps(frozen, indent=1, ensure_ascii=False) + "\n")
    coming_file.write_text(NO_CHANGES)
    releases.cache_clear()
    return path


def in_force(done: Sequence[Release], today: date) -> Release:
    """The version that holds on a day, by the dates of the releases alone. Raises MapFault when none does."""
    for release in reversed(done):
        if release.effective_on <= today:
            return release
    raise MapFault("No version of the policy was released; run `mindstage policy release`")


def differences_of(number: int, done: Sequence[Release]) -> list[Difference]:
    """What a version changed; nothing for the first."""
    return compare(done[number - 2].content, done[number - 1].content) if number > 1 else []


def coming_differences() -> list[Difference]:
    """What this program does differently from the last version. Raises MapFault."""
    done = releases()
    return compare(done[-1].content, present()) if done else []


def needs_notice(differences: Iterable[Difference]) -> bool:
    """Whether these differences put something to another use."""
    return bool(changed_purposes(differences))
