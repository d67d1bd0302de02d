"""The harness's own room and deeds, in the program's order: key before row, ledger before key."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connections, transaction

from mindstage.datamap.holdings import Cleared, Finding, Rearmed
from mindstage.ledger.book import Kind
from mindstage.ops.backup import BackupFailed, back_up
from mindstage.vault import clocks, rotation
from mindstage.vault.ending import Hints, apply_to_database, apply_to_keystore, is_reserved, record
from mindstage.vault.escrow import EscrowAway
from mindstage.vault.keys import create_item_key, create_user_key, item_key, text_key
from mindstage.vault.marks import mark_database
from mindstage.vault.models import ItemKey, UserKey
from mindstage.vault.sealing import seal

if TYPE_CHECKING:
    from vault.protocol import House

FREEZE, BIN = timedelta(days=7), timedelta(days=30)
TABLES = (
    "CREATE TABLE t_person (id TEXT PRIMARY KEY, tag BLOB UNIQUE, state TEXT, due TEXT, text BLOB)",
    "CREATE TABLE t_item (id TEXT PRIMARY KEY, owner TEXT, bin TEXT)",
    "CREATE TABLE t_turn (id TEXT PRIMARY KEY, item TEXT, text BLOB)",
)


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

    def rearm(self, day: date) -> list[Rearmed]:
        sql("UPDATE t_person SET state = 'frozen', due = %s WHERE state <> 'active'", str(day + FREEZE))
        sql("UPDATE t_item SET bin = %s WHERE bin IS NOT NULL", str(day + BIN))
        return []

    def remains(self, person: uuid.UUID) -> list[Finding]:
        return []


def sql(text: str, *values: object) -> list[tuple[Any, ...]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(text, list(values))
        return cursor.fetchall() if text.startswith("SELECT") else []


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
    due = "SELECT id FROM t_person WHERE state = 'destroying' OR (state = 'frozen' AND due <= %s) ORDER BY id"
    for (ident,) in sql(due, today):
        destroy(house, Kind.PERSON, uuid.UUID(ident))
    for (ident,) in sql("SELECT id FROM t_item WHERE bin <= %s ORDER BY id", today):
        destroy(house, Kind.ITEM, uuid.UUID(ident))
    take_backup(house)
    turn()


def take_backup(house: House) -> None:
    """None is taken while the date lags by a month: the doctor says so, and the night goes on."""
    with suppress(BackupFailed):
        back_up(house.configuration)


def shift(lag: timedelta) -> None:
    """The slow date catches up: what was stamped while it lagged must not end early."""
    with transaction.atomic():
        for table, column in (("t_person", "due"), ("t_item", "bin")):
            for ident, day in sql(f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL"):
                sql(f"UPDATE {table} SET {column} = %s WHERE id = %s", str(date.fromisoformat(day) + lag), ident)
        mark_database()
    clocks.shift_date(lag)
    clocks.expire_backup_keys()


def turn() -> None:
    """Turn the epoch when it is due, else finish the turn that was begun; unless the escrow is away."""
    with suppress(EscrowAway, rotation.AnotherTurned):
        (rotation.rotate if rotation.is_due(clocks.slow_date()) else rotation.resume_rotation)()


def turn_now() -> None:
    with suppress(EscrowAway, rotation.AnotherTurned):
        rotation.rotate()
