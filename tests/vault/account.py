"""What must be true of a history: kept by hand, beside the program."""

from __future__ import annotations

import uuid
from datetime import date

from mindstage.kit import clock
from mindstage.ops.backup import Backup
from mindstage.vault import copies
from mindstage.vault.backup_keys import backup_ends
from mindstage.vault.root_key import read_root_key
from vault import protocol
from vault.protocol import House


class Account:
    """What must be true: who wrote what, who wished what, what was ended. It knows nothing of files or keys."""

    def __init__(self) -> None:
        self.handles: dict[uuid.UUID, str] = {}
        self.owner: dict[uuid.UUID, uuid.UUID] = {}
        self.item: dict[uuid.UUID, uuid.UUID] = {}
        self.living: dict[uuid.UUID, str] = {}
        """Acknowledged texts: of a person, or of a turn."""
        self.wished: dict[uuid.UUID, int] = {}
        """What its owner wants to end -> the first day on which it may."""
        self.ended: set[uuid.UUID] = set()
        self.reserved: dict[str, date] = {}
        self.done: set[uuid.UUID] = set()
        self.in_backup: dict[uuid.UUID, tuple[dict[uuid.UUID, str], int]] = {}

    def parts(self, subject: uuid.UUID) -> set[uuid.UUID]:
        """Every text that ends with a subject."""
        items = {item for item, owner in self.owner.items() if subject in (item, owner)}
        turns = {turn for turn, item in self.item.items() if item in items or turn == subject}
        return turns | ({subject} if subject in self.handles else set())


class Standing:
    """The rows as they stand."""

    def people(self, state: str) -> list[uuid.UUID]:
        rows = protocol.sql("SELECT id FROM t_person WHERE state = %s ORDER BY id", state)
        return [uuid.UUID(row[0]) for row in rows]

    def items(self, *, binned: bool = False) -> list[uuid.UUID]:
        keyed = set(protocol.ItemKey.objects.using("keystore").values_list("pk", flat=True))
        rows = protocol.sql(f"SELECT id FROM t_item WHERE bin IS {'NOT ' if binned else ''}NULL ORDER BY id")
        return [item for row in rows if (item := uuid.UUID(row[0])) in keyed]

    def keyed_people(self) -> set[uuid.UUID]:
        return set(protocol.UserKey.objects.using("keystore").values_list("pk", flat=True))

    def turns(self) -> list[uuid.UUID]:
        return [uuid.UUID(row[0]) for row in protocol.sql("SELECT id FROM t_turn ORDER BY id")]


def clocks_alive() -> set[uuid.UUID]:
    return set(backup_ends())


def clocks_alive_in(house: House) -> set[uuid.UUID]:
    """Backups that a new machine can open: complete, and their key in the newest copy."""
    with house.time():
        escrow = house.epochs("S")
        if escrow is None:
            return set()
        root = read_root_key(house.configuration.keys_dir)
        opens = copies.newest_copies({number: escrow.epoch_key(number, root=root) for number in escrow.slots})
        copy = next((copy for _, copy in opens), None)
        if copy is None:
            return set()
        known = {copies.from_json(row["id"]) for row in copy.tables["backup"]}
        files = {Backup(path).id for path in house.configuration.backups_dir.glob("*.backup")}
        ends = {copies.from_json(row["id"]): copies.from_json(row["destroy_on"]) for row in copy.tables["backup"]}
        eager = max(clock.today(), copies.from_json(copy.state["slow_date"]))
        return {backup for backup in known & files if ends[backup] > eager}
