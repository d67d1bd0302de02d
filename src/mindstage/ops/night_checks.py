"""What `mindstage doctor` says of the nights: promises kept, erasures, copies, snapshots, dates, backups, epoch.

As all of its checks these write nothing: they read files and rows as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mindstage.datamap.retention import kept_days
from mindstage.kit import clock
from mindstage.kit.words import counted
from mindstage.ops.findings import Finding
from mindstage.ops.instance import Instance
from mindstage.ops.mistakes import StartMistake
from mindstage.ops.reading_files import read_rows
from mindstage.ops.retention import Oldest, dates_by, measure_all
from mindstage.vault.clocks import MADE_UP

COPY_LASTS: Final = timedelta(hours=26)
"""A night takes one each 24 hours; a little more before the newest is called old."""
NIGHTS_MISSED: Final = timedelta(days=2)
KEEPS_SNAPSHOTS: Final = frozenset({"btrfs", "zfs", "bcachefs", "nilfs2"})
ESCROW_MADE: Final = "escrow.made"


def check_retention(instance: Instance) -> Iterator[Finding]:
    state = _keystore(instance)
    if state is None:
        return
    try:
        found = list(measure_all(lambda alias, sql: read_rows(instance, alias, sql), dates_by(state["slow_date"])))
    except StartMistake:
        return  # an older schema: said above
    yield from say_retention(found)


def say_retention(found: list[Oldest]) -> Iterator[Finding]:
    """An alarm for each category whose oldest record is older than its promise."""
    over = [oldest for oldest in found if oldest.over]
    for oldest in over:
        yield Finding(
            f"retention of {oldest.category}",
            "mistake",
            f"the oldest record is of {oldest.oldest}; the promise is: {oldest.promise}",
            "Start Mindstage, or look in its log for a clock that failed.",
        )
    if not over:
        yield Finding("retention", "ok", "no record is older than its promise")


def check_erasures(instance: Instance) -> Iterator[Finding]:
    """An alarm while an erasure has found what should be gone: its person has no receipt, and no end yet."""
    try:
        rows = read_rows(instance, "default", "SELECT findings FROM rights_erasurerequest WHERE findings > 0")
    except StartMistake:
        return  # said by the checks of schema and keys
    if rows:
        count = sum(row[0] for row in rows)
        yield Finding(
            "erasures",
            "mistake",
            f"{len(rows)} not complete: {counted(count, 'thing')} that should be gone found or opened; no receipt yet",
            "mindstage night tries again. If this stays, a key or a row comes back: look in the log, and report it.",
        )
    else:
        yield Finding("erasures", "ok", "none has found anything that should be gone")


def check_keystore_copies(instance: Instance) -> Iterator[Finding]:
    state = _keystore(instance)
    if state is None:
        return
    folders = (instance.backups_dir / "keystore", instance.escrow_dir / "keystore")
    moments = [moment for folder in folders if (moment := _newest_copy(folder, state["epoch"]))]
    if not moments:
        yield Finding(
            "keystore's copy",
            "mistake",
            "there is no copy of the keystore that opens: if its file is lost, every story is",
            "mindstage backup",
        )
    elif (age := clock.now() - max(moments)) > COPY_LASTS:
        days = max(1, age.days)
        yield Finding("keystore's copy", "warning", f"the newest is {counted(days, 'day')} old", "mindstage backup")
    elif len(moments) < len(folders):
        yield Finding("keystore's copy", "warning", "the newest copy lies in one place only", "mindstage backup")
    else:
        yield Finding("keystore's copy", "ok", "younger than a day, in two places")


def check_escrow(instance: Instance) -> Iterator[Finding]:
    escrow = instance.escrow_dir
    if not escrow.is_dir():
        if (instance.keys_dir / ESCROW_MADE).exists():
            yield Finding(
                "escrow",
                "mistake",
                f"{escrow} cannot be reached: the epoch does not turn, erasures and receipts wait",
                "Bring its disk back; the next night goes on by itself.",
            )
        else:
            yield Finding("escrow", "ok", f"{escrow} is made at the first start")
    elif others := [name for name, folder in _carried(instance) if is_with(escrow, folder)]:
        yield Finding(
            "escrow",
            "mistake",
            f"it lies with {' and '.join(others)}: whoever has that, and the root key, can open what was erased today",
            "Set escrow in mindstage.toml to a place of its own, and move the folder there.",
        )
    elif shared := [name for name, folder in _disks(instance) if _disk(folder) == _disk(escrow)]:
        yield Finding(
            "escrow",
            "warning",
            f"it lies on the same disk as {' and '.join(shared)}: one disk that breaks, or is copied, takes both",
            "Set escrow in mindstage.toml to another disk, and move the folder there.",
        )
    else:
        yield Finding("escrow", "ok", "on a disk of its own")


def check_snapshots(instance: Instance, mounts: Path = Path("/proc/self/mountinfo")) -> Iterator[Finding]:
    folders = {"data": instance.data_dir, "keys": instance.keys_dir, "escrow": instance.escrow_dir}
    kinds = {name: _filesystem(folder, mounts) for name, folder in folders.items()}
    found = [f"{name} ({kind})" for name, kind in kinds.items() if kind in KEEPS_SNAPSHOTS]
    if found:
        yield Finding(
            "snapshots",
            "warning",
            f"a file system that keeps snapshots holds {', '.join(found)}: a snapshot of keys is a key that lives on",
            "Exclude these folders from snapshots, or keep keys and escrow on another file system.",
        )
    else:
        yield Finding("snapshots", "ok", "none that could be detected; those of a machine's host cannot be")


def check_nights(instance: Instance) -> Iterator[Finding]:
    state, night = _keystore(instance), _night(instance)
    if state is None or night is None:
        return
    lag = clock.today() - state["slow_date"]
    if lag > MADE_UP:
        waits = "freezes and the trash wait for you"
        if lag.days >= kept_days("backups", instance.retention):
            waits += ", no backup can be taken, and none opens any more"
        yield Finding(
            "date",
            "mistake",
            f"the instance's own date lies {lag.days} days behind the clock: {waits}",
            "If the clock is right: mindstage night --confirm-date",
        )
    else:
        yield Finding("date", "ok", f"{state['slow_date']}")
    yield from _of_the_night(night)
    yield _of_the_epoch(state, night)


def _of_the_night(night: dict[str, Any]) -> Iterator[Finding]:
    if night["ended_on"] is None or clock.today() - night["ended_on"] > NIGHTS_MISSED:
        last = night["ended_on"] or "never"
        yield Finding("nights", "warning", f"the last one that ended: {last}", "Start Mindstage and leave it running.")
    if night["ending_problem"]:
        said = f"what was due could not be ended ({night['ending_problem']}); it is tried again"
        yield Finding("endings", "mistake", said, "mindstage night")
    if night["backup_problem"]:
        last = night["backed_up_on"] or "never"
        said = f"the last one failed ({night['backup_problem']}); one worked last on: {last}"
        yield Finding("backup", "mistake", said, "mindstage backup says the reason.")
    elif night["backed_up_on"]:
        yield Finding("backup", "ok", f"the last one was taken on {night['backed_up_on']}")


def _of_the_epoch(state: dict[str, Any], night: dict[str, Any]) -> Finding:
    if night["epoch_problem"]:
        since = night["epoch_waits_since"]
        return Finding(
            "epoch",
            "mistake",
            f"it could not turn since {since} ({night['epoch_problem']}): erasures and receipts wait for it",
            "Bring the escrow back if it is away, then: mindstage night",
        )
    if state["dirty"] and (night["ended_on"] is None or clock.today() - night["ended_on"] > NIGHTS_MISSED):
        said = "keys died in it and it has not turned for days: erasures wait for it"
        return Finding("epoch", "mistake", said, "mindstage night")
    return Finding("epoch", "ok", f"it turned last on {state['rotated_on']}")


def _keystore(instance: Instance) -> dict[str, Any] | None:
    names = ("epoch", "dirty", "slow_date", "rotated_on")
    return _row(instance, "keystore", names, "vault_keystore")


def _night(instance: Instance) -> dict[str, Any] | None:
    names = ("ended_on", "backed_up_on", "backup_problem", "ending_problem", "epoch_problem", "epoch_waits_since")
    return _row(instance, "default", names, "ops_night")


def _row(instance: Instance, alias: str, names: tuple[str, ...], table: str) -> dict[str, Any] | None:
    try:
        rows = read_rows(instance, alias, f"SELECT {', '.join(names)} FROM {table}")  # noqa: S608 - constant names
    except StartMistake:
        return None  # said by the checks of schema and keys
    return {name: _day(name, value) for name, value in zip(names, rows[0], strict=True)} if rows else None


def _day(name: str, value: Any) -> Any:
    """SQLite says days as text."""
    is_day = isinstance(value, str) and name.endswith(("_on", "_since", "_date"))
    return date.fromisoformat(value) if is_day else value


def _newest_copy(folder: Path, epoch: int) -> datetime | None:
    """When the newest copy of an epoch was taken, which the identifier (UUIDv7) at the end of its name tells."""
    names = sorted(path.stem for path in folder.glob(f"{epoch:08}-*.copy")) if folder.is_dir() else []
    try:
        return datetime.fromtimestamp(int(names[-1].rsplit("-", 1)[1][:12], 16) / 1000, UTC) if names else None
    except (ValueError, IndexError):
        return None


def _disks(instance: Instance) -> tuple[tuple[str, Path], ...]:
    return (("the keys", instance.keys_dir), ("the backups", instance.backups_dir))


def _disk(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev
    except OSError:
        return None


def _carried(instance: Instance) -> tuple[tuple[str, Path], ...]:
    """What is copied elsewhere as a whole."""
    return (("the data", instance.data_dir), ("the backups", instance.backups_dir))


def is_with(folder: Path, other: Path) -> bool:
    """Whether one of two folders lies in the other, so that a copy of that one carries both."""
    one, two = folder.resolve(), other.resolve()
    return one.is_relative_to(two) or two.is_relative_to(one)


def _filesystem(folder: Path, mounts: Path) -> str:
    """The type of the file system that a folder lies on; empty where the kernel does not say."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    place, best = folder.resolve(), ("", "")
    for line in lines:
        before, _, after = line.partition(" - ")
        mounted = before.split()[4].replace("\\040", " ")
        if place.is_relative_to(mounted) and len(mounted) >= len(best[0]):
            best = (mounted, after.split()[0])
    return best[1]
