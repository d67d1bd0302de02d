"""A small instance on real files, for tests of the vault's protocol: two SQLite databases, ledger, epoch file, escrow.

The rows are this harness's own (people, items, turns, sealed under real keys), so that nothing but the vault is tested.
Every durable write is counted; after the n-th the power fails: nothing more is written until the next start.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper

from mindstage.config.configuration import Configuration
from mindstage.datamap import holdings as registry
from mindstage.datamap.holdings import Cleared, Finding
from mindstage.kit import clock
from mindstage.ledger import book
from mindstage.ledger.book import Kind
from mindstage.ops import restore, staging
from mindstage.ops.backup import back_up
from mindstage.ops.keys_at_start import make_keys, refuse_wrong_keys
from mindstage.ops.mistakes import StartMistake
from mindstage.vault import clocks, rotation
from mindstage.vault.ending import Hints, apply_to_database, apply_to_keystore, is_reserved, record
from mindstage.vault.epoch_file import EpochFile, read_epoch_file
from mindstage.vault.escrow import EscrowAway
from mindstage.vault.keys import KeyGone, close_vault, create_item_key, create_user_key, item_key, text_key
from mindstage.vault.marks import mark_database
from mindstage.vault.models import ItemKey, UserKey
from mindstage.vault.root_key import KeyMistake, read_root_key
from mindstage.vault.sealing import Unreadable, open_sealed, seal
from mindstage.vault.start_check import Mode, check_start

FAST = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
"""Where every sync is free; else wherever temporary files lie."""
FREEZE, BIN = timedelta(days=7), timedelta(days=30)
Files = dict[str, bytes | None]

_TABLES = (
    "CREATE TABLE t_person (id TEXT PRIMARY KEY, tag BLOB UNIQUE, state TEXT, due TEXT, text BLOB)",
    "CREATE TABLE t_item (id TEXT PRIMARY KEY, owner TEXT, bin TEXT)",
    "CREATE TABLE t_turn (id TEXT PRIMARY KEY, item TEXT, text BLOB)",
)


class PowerFailure(BaseException):
    """The machine went off."""


@dataclass
class Power:
    """Counts durable writes; after `fails_after` of them there is no power."""

    written: int = 0
    fails_after: int | None = None
    off: bool = False

    def before(self) -> None:
        if self.off:
            raise PowerFailure

    def after(self) -> None:
        self.written += 1
        if self.fails_after is not None and self.written >= self.fails_after:
            self.off = True
            raise PowerFailure

    def wrap[**P, R](self, write: Callable[P, R]) -> Callable[P, R]:
        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            self.before()
            done = write(*args, **kwargs)
            self.after()
            return done

        return counted


class Rows:
    """The harness's room: what it holds of a person."""

    name = "protocol"

    def subjects(self) -> Iterator[uuid.UUID]:
        for table in ("t_person", "t_item", "t_turn"):
            yield from (uuid.UUID(row[0]) for row in sql(f"SELECT id FROM {table}"))

    def export(self, person: uuid.UUID) -> Iterator[tuple[str, Any]]:
        return iter(())

    def erase(self, person: uuid.UUID) -> list[Cleared]:
        sql("DELETE FROM t_turn WHERE item IN (SELECT id FROM t_item WHERE owner = %s)", person.hex)
        sql("DELETE FROM t_item WHERE owner = %s", person.hex)
        sql("DELETE FROM t_person WHERE id = %s", person.hex)
        return [Cleared("database:default t_person", "delete", 1)]

    def erase_item(self, item: uuid.UUID) -> list[Cleared]:
        sql("DELETE FROM t_turn WHERE item = %s OR id = %s", item.hex, item.hex)
        sql("DELETE FROM t_item WHERE id = %s", item.hex)
        return []

    def keep(self, subject: uuid.UUID) -> None:
        sql("UPDATE t_person SET state = 'active', due = NULL WHERE id = %s", subject.hex)
        sql("UPDATE t_item SET bin = NULL WHERE id = %s", subject.hex)

    def rearm(self, day: date) -> int:
        sql("UPDATE t_person SET state = 'frozen', due = %s WHERE state <> 'active'", str(day + FREEZE))
        sql("UPDATE t_item SET bin = %s WHERE bin IS NOT NULL", str(day + BIN))
        return 0

    def remains(self, person: uuid.UUID) -> list[Finding]:
        return []


@dataclass
class House:
    """One instance in `root`. `day` nights have passed; `skew` days the wall clock is wrong by."""

    root: Path
    power: Power
    day: int = 0
    skew: int = 0
    died: dict[uuid.UUID, int] = field(default_factory=dict)
    handle_of: Callable[[uuid.UUID], bytes | None] = field(default_factory=lambda: handle_of)

    @property
    def configuration(self) -> Configuration:
        return Configuration(
            data_dir=self.root / "data",
            keys_dir=self.root / "keys",
            escrow=str(self.root / "escrow"),
            backups=str(self.root / "backups"),
        )

    @property
    def places(self) -> dict[str, Path]:
        c = self.configuration
        return {
            "D": c.database_file,
            "K": c.keystore_file,
            "L": c.ledger_dir / book.NAME,
            "F": c.keys_dir / "epoch.json",
            "S": c.escrow_dir / "epoch.json",
        }

    # ---- files

    def unplug(self) -> None:
        for alias in connections:
            connections[alias].close()
        close_vault()

    def files(self) -> Files:
        """Every artefact as it lies on the disk."""
        self.unplug()
        return {name: path.read_bytes() if path.exists() else None for name, path in self.places.items()}

    def put(self, files: Files, names: str = "DKLFS") -> None:
        """Copy old files into place."""
        self.unplug()
        for name in names:
            path = self.places[name]
            for other in (path, *staging.siblings(path)):
                other.unlink(missing_ok=True)
            if (content := files[name]) is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    @contextmanager
    def clone(self) -> Iterator[None]:
        """Whatever happens in the block, everything is as before after it."""
        self.unplug()
        kept = self.root.with_name(f"kept-{uuid.uuid4().hex}")
        shutil.copytree(self.root, kept)
        before, died = (self.day, self.skew), dict(self.died)
        try:
            yield
        finally:
            self.unplug()
            shutil.rmtree(self.root)
            kept.rename(self.root)
            (self.day, self.skew), self.died = before, died

    def escrow_away(self, away: bool) -> None:
        """Unmount the escrow's place, or mount it again."""
        here, there = self.root / "escrow", self.root / "escrow-away"
        if away and here.exists():
            here.rename(there)
        if not away and there.exists():
            there.rename(here)

    @property
    def escrow_here(self) -> bool:
        return (self.root / "escrow").exists()

    # ---- start

    def start(self) -> Mode:
        """What the program does before it serves: the mode in which it ends."""
        self.unplug()
        self.power.off = False
        try:
            with self.time():
                refuse_wrong_keys(self.configuration)
                make_keys(self.configuration)
                return check_start(handle_of=self.handle_of).mode
        except (StartMistake, KeyMistake):
            return Mode.REFUSED

    def start_as_deed(self) -> None:
        """A start at which the power may fail: `start` without switching it on."""
        self.unplug()
        try:
            refuse_wrong_keys(self.configuration)
            make_keys(self.configuration)
            check_start(handle_of=self.handle_of)
        except (StartMistake, KeyMistake):
            pass

    def run(self, deed: Callable[[], Any], *, fails_after: int | None = None) -> bool:
        """Do something, perhaps until the power fails; whether it came to its end."""
        self.power.written, self.power.fails_after, self.power.off = 0, fails_after, False
        try:
            with self.time():
                deed()
        except PowerFailure:
            return False
        finally:
            self.power.fails_after, self.power.off = None, False
        return True

    def time(self) -> Any:
        return clock.moved(timedelta(days=self.day + self.skew))

    # ---- what others see

    def read_all(self) -> dict[str, str]:
        """Everything that opens now: identifier -> text."""
        found = {}
        for ident, sealed in sql("SELECT id, text FROM t_person"):
            found |= _try(ident, sealed, lambda ident=ident: text_key(uuid.UUID(ident)))
        for ident, item, sealed in sql("SELECT id, item, text FROM t_turn"):
            found |= _try(ident, sealed, lambda item=item: item_key(uuid.UUID(item)))
        return found

    def epochs(self, which: str) -> EpochFile | None:
        return read_epoch_file(self.places[which].parent) if self.places[which].parent.exists() else None

    def open_slots(self) -> list[bytes]:
        """The epoch keys that root key, epoch file and escrow give to whoever holds them."""
        root = read_root_key(self.configuration.keys_dir)
        escrow = self.places["S"] if self.escrow_here else self.root / "escrow-away" / "epoch.json"
        both = [self.epochs("F"), read_epoch_file(escrow.parent)]
        return [one.epoch_key(number, root=root) for one in both if one for number in one.slots]

    def chain(self) -> book.Chain:
        chain = book.read_book(self.configuration.ledger_dir)
        assert chain is not None
        return chain


def sql(text: str, *values: object) -> list[tuple[Any, ...]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(text, list(values))
        return cursor.fetchall() if text.startswith("SELECT") else []


def _try(ident: str, sealed: bytes, key: Callable[[], bytes]) -> dict[str, str]:
    try:
        return {ident: open_sealed(key(), bytes(sealed), ident.encode()).decode()}
    except (KeyGone, Unreadable):
        return {}


def count_keyless() -> int:
    """Rows of this harness whose key is gone."""
    users = set(UserKey.objects.using("keystore").values_list("pk", flat=True))
    items = set(ItemKey.objects.using("keystore").values_list("pk", flat=True))
    lost = sum(uuid.UUID(row[0]) not in users for row in sql("SELECT id FROM t_person"))
    return lost + sum(uuid.UUID(row[0]) not in items for row in sql("SELECT id FROM t_item"))


def handle_of(person: uuid.UUID) -> bytes | None:
    rows = sql("SELECT tag FROM t_person WHERE id = %s", person.hex)
    return bytes(rows[0][0]) if rows else None


def tag_of(handle: str) -> bytes:
    return hashlib.sha256(handle.encode()).digest()


# ---- deeds, as the program does them: key before row, ledger before key


def sign_up(person: uuid.UUID, handle: str, text: str) -> bool:
    if is_reserved(tag_of(handle)) or sql("SELECT 1 FROM t_person WHERE tag = %s", tag_of(handle)):
        return False
    create_user_key(person)
    sealed = seal(text_key(person), text.encode(), person.hex.encode())
    with transaction.atomic():
        sql("INSERT INTO t_person VALUES (%s, %s, 'active', NULL, %s)", person.hex, tag_of(handle), sealed)
        mark_database()
    return True


def write(owner: uuid.UUID, item: uuid.UUID, turn: uuid.UUID, text: str) -> None:
    create_item_key(item, owner=owner)
    sealed = seal(item_key(item), text.encode(), turn.hex.encode())
    with transaction.atomic():
        assert sql("SELECT 1 FROM t_person WHERE id = %s AND state = 'active'", owner.hex)
        sql("INSERT INTO t_item VALUES (%s, %s, NULL)", item.hex, owner.hex)
        sql("INSERT INTO t_turn VALUES (%s, %s, %s)", turn.hex, item.hex, sealed)
        mark_database()


def add_turn(item: uuid.UUID, turn: uuid.UUID, text: str) -> None:
    sealed = seal(item_key(item), text.encode(), turn.hex.encode())
    with transaction.atomic():
        sql("INSERT INTO t_turn VALUES (%s, %s, %s)", turn.hex, item.hex, sealed)


def freeze(person: uuid.UUID, *, days: int = 7) -> None:
    with transaction.atomic():
        due = clocks.slow_date() + timedelta(days=days)
        sql("UPDATE t_person SET state = 'frozen', due = %s WHERE id = %s", str(due), person.hex)
        mark_database()


def trash(item: uuid.UUID) -> None:
    with transaction.atomic():
        sql("UPDATE t_item SET bin = %s WHERE id = %s", str(clocks.slow_date() + BIN), item.hex)
        mark_database()


def keep(subject: uuid.UUID) -> None:
    apply_to_database(record(Kind.KEEP, subject), hints=Hints.of(subject))


def destroy(house: House, kind: Kind, subject: uuid.UUID) -> None:
    """End somebody or something for good."""
    hints = Hints.of(subject)
    if kind is Kind.PERSON:
        with transaction.atomic():
            sql("UPDATE t_person SET state = 'destroying' WHERE id = %s AND state <> 'active'", subject.hex)
            mark_database()
    chain = record(kind, subject)
    if (epoch := apply_to_keystore(chain, handle_of=handle_of, hints=hints)) and kind is not Kind.TURN:
        house.died[subject] = epoch
    apply_to_database(chain, hints=hints)


def night(house: House) -> None:
    """What a night does, in the protocol's order."""
    clocks.turn_night()
    if timedelta(0) < (lag := clocks.lag()) <= clocks.MADE_UP:
        shift(lag)
    clocks.expire_backup_keys()
    today = str(clocks.slow_date())
    due = "SELECT id FROM t_person WHERE state = 'destroying' OR (state = 'frozen' AND due <= %s)"
    for (ident,) in sql(due, today):
        destroy(house, Kind.PERSON, uuid.UUID(ident))
    for (ident,) in sql("SELECT id FROM t_item WHERE bin <= %s", today):
        destroy(house, Kind.ITEM, uuid.UUID(ident))
    back_up(house.configuration)
    if rotation.is_due(clocks.slow_date()):
        turn()


def shift(lag: timedelta) -> None:
    """The slow date catches up: what was stamped while it lagged must not end early."""
    with transaction.atomic():
        days = f"+{lag.days} days"
        sql("UPDATE t_person SET due = date(due, %s) WHERE due IS NOT NULL", days)
        sql("UPDATE t_item SET bin = date(bin, %s) WHERE bin IS NOT NULL", days)
        mark_database()
    clocks.shift_date(lag)
    clocks.expire_backup_keys()


def turn() -> None:
    """Turn the epoch, unless the escrow is away."""
    try:
        rotation.rotate()
    except (EscrowAway, rotation.AnotherTurned):
        pass


# ---- the keystore as an attacker sees it


@dataclass(frozen=True)
class OldKeystore:
    """A keystore file that somebody kept."""

    epoch: int
    users: dict[uuid.UUID, bytes]
    items: dict[uuid.UUID, tuple[uuid.UUID, bytes]]
    backups: dict[uuid.UUID, bytes]


def read_old(content: bytes) -> OldKeystore | None:
    raw = sqlite3.connect(":memory:")
    try:
        raw.deserialize(content)
        rows = raw.execute("SELECT epoch FROM vault_keystore").fetchall()
        users = {uuid.UUID(k): bytes(w) for k, w in raw.execute("SELECT id, wrapped FROM vault_userkey")}
        items = {
            uuid.UUID(k): (uuid.UUID(o), bytes(w))
            for k, o, w in raw.execute("SELECT id, owner, wrapped FROM vault_itemkey")
        }
        backups = {uuid.UUID(k): bytes(w) for k, w in raw.execute("SELECT id, wrapped FROM vault_backupkey")}
        return OldKeystore(rows[0][0], users, items, backups) if rows else None
    finally:
        raw.close()


# ---- setting up


@contextmanager
def harness(template: Path | None, power: Power, *, rooms: bool = False) -> Iterator[None]:
    """Count durable writes, look at this house's files, and know no room but `Rows`; or all of them (`rooms`)."""
    aliases = {alias: connections[alias] for alias in ("default", "keystore")}
    names = {alias: connection.settings_dict["NAME"] for alias, connection in aliases.items()}
    for connection in aliases.values():
        connection.close()
        connection.execute_wrappers.append(_AtStatement(power))
    commit = DatabaseWrapper._commit
    patches = [
        mock.patch.object(DatabaseWrapper, "_commit", power.wrap(commit)),
        mock.patch.object(pathlib.Path, "replace", power.wrap(pathlib.Path.replace)),
        mock.patch.object(book, "append", power.wrap(book.append)),
        mock.patch.object(book, "begin_book", power.wrap(book.begin_book)),
    ]
    if not rooms:
        patches.append(mock.patch.object(registry, "_holdings", [Rows()]))
        patches.append(mock.patch.object(restore, "count_keyless", count_keyless))
    if template is not None:
        patches.append(mock.patch.object(staging, "call_command", _make_tables(template)))
    before = settings.MINDSTAGE
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()
        settings.MINDSTAGE = before
        close_vault()
        for alias, connection in aliases.items():
            connection.close()
            connection.settings_dict["NAME"] = names[alias]
            connection.execute_wrappers = [w for w in connection.execute_wrappers if not isinstance(w, _AtStatement)]


class _AtStatement:
    """A statement outside a transaction is a durable write of its own."""

    def __init__(self, power: Power) -> None:
        self.power = power

    def __call__(self, execute: Any, text: str, params: Any, many: bool, context: Any) -> Any:
        writes = text.startswith(("INSERT", "UPDATE", "DELETE")) and not context["connection"].in_atomic_block
        if writes:
            self.power.before()
        done = execute(text, params, many, context)
        if writes:
            self.power.after()
        return done


def _make_tables(template: Path) -> Callable[..., None]:
    """In place of the migrations: a staged file without tables gets those of the template."""

    def migrate(_command: str, *, database: str, **_: Any) -> None:
        if not sql_on(database, "SELECT 1 FROM sqlite_master WHERE type = 'table'"):
            name = connections[database].settings_dict["NAME"]
            connections[database].close()
            shutil.copyfile(template / f"{database}.sqlite3", name)

    return migrate


def sql_on(alias: str, text: str) -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall()


def move_in(house: House) -> None:
    """Let the program look at this house."""
    house.unplug()
    settings.MINDSTAGE = house.configuration
    connections["default"].settings_dict["NAME"] = str(house.configuration.database_file)
    connections["keystore"].settings_dict["NAME"] = str(house.configuration.keystore_file)


def build_template(folder: Path, *, rooms: bool = False) -> Path:
    """Empty tables (default.sqlite3, keystore.sqlite3) and a founded house, to be copied for each test."""
    power = Power()
    with harness(None, power, rooms=rooms):
        house = House(folder / "house", power)
        for path in house.places.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(house.root / "escrow")  # the first start makes it
        move_in(house)
        call_command("migrate", *([] if rooms else ["ledger"]), database="default", verbosity=0)
        call_command("migrate", *([] if rooms else ["vault"]), database="keystore", verbosity=0)
        for table in () if rooms else _TABLES:
            sql(table)
        house.unplug()
        shutil.copyfile(house.configuration.database_file, folder / "default.sqlite3")
        shutil.copyfile(house.configuration.keystore_file, folder / "keystore.sqlite3")
        assert house.start() is Mode.OPEN
        house.unplug()
    return folder
