"""What must be true of a history: kept by hand, beside the program."""

from __future__ import annotations

import uuid
from datetime import date

from mindstage.vault.backup_keys import backup_ends
from vault import protocol


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
