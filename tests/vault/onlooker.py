"""What an onlooker sees of an instance on real files, and of a world of the model: the same words for both."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mindstage.ops.backup import list_backups
from mindstage.vault import copies, rotation
from mindstage.vault.copies import from_json
from mindstage.vault.epoch_file import EpochFile
from mindstage.vault.escrow import EscrowAway
from mindstage.vault.marks import database_mark, keystore_state
from mindstage.vault.models import BackupKey, ItemKey, ReservedHandle, UserKey
from mindstage.vault.sealing import Unreadable
from mindstage.vault.tags import ledger_tag
from mindstage.vault.wrapping import unwrap_backup_key, unwrap_item_key, unwrap_user_key
from vault import protocol
from vault.protocol import House, tag_of
from vault.protocol_model import World, extends

View = dict[str, Any]
Blob = tuple[str, uuid.UUID, uuid.UUID, bytes]
"""A wrapped key: of what kind, whose, of whom, the bytes."""
HANDLES = {tag_of(handle): handle for handle in "abc"}


@dataclass
class Onlooker:
    """Holds the root key and every keystore there ever was. Names backups as the histories do."""

    house: House
    founded: date
    subjects: dict[str, uuid.UUID] = field(default_factory=dict)
    """Tag in the ledger -> whom it means."""
    backups: dict[uuid.UUID, str] = field(default_factory=dict)
    hoard: set[Blob] = field(default_factory=set)
    """Every wrapped key that ever lay in a keystore or a copy."""
    texts: dict[uuid.UUID, str] = field(default_factory=dict)
    """What opened at the last look."""
    tried: dict[tuple[Blob, bytes, bytes], bytes | None] = field(default_factory=dict)

    def day(self, day: date) -> int:
        return (day - self.founded).days

    def meet(self, *idents: uuid.UUID) -> None:
        self.subjects |= {ledger_tag(ident): ident for ident in idents}

    def name_backup(self, name: str) -> None:
        """Whatever backup is new since the last time has this name: its key, at least, is there."""
        keys = BackupKey.objects.using("keystore").values_list("pk", flat=True)
        self.backups |= {ident: name for ident in keys if ident not in self.backups}

    # ---- the instance

    def look(self) -> View:
        with self.house.time():
            state, mark = keystore_state(), database_mark()
            alive = [self.backups[one.id] for one in list_backups(self.house.configuration.backups_dir)]
        self.texts = {uuid.UUID(ident): text for ident, text in self.house.read_all().items()}
        return {
            "rows": self._rows() | {"applied": mark.ledger_length},
            "keys": self._keys(),
            "ledger": [self._entry(entry) for entry in self.house.chain().entries],
            "files": {name: self._epoch_file(self.house.epochs(name)) for name in "FS"},
            "copies": sorted(self._copies()),
            "backups": alive,
            "older": (state.generation < mark.keystore_generation, mark.generation < state.database_generation),
            "readable": set(self.texts),
            "oldest": self._oldest_slot(),
            "attacker": self.opened_by_attacker(),
        }

    def _rows(self) -> View:
        def day(text: str | None) -> int | None:
            return None if text is None else self.day(date.fromisoformat(text))

        people = protocol.sql("SELECT id, tag, state, due FROM t_person")
        items = protocol.sql("SELECT id, owner, bin FROM t_item")
        turns = protocol.sql("SELECT id, item FROM t_turn")
        return {
            "people": {uuid.UUID(i): (HANDLES[bytes(tag)], state, day(due)) for i, tag, state, due in people},
            "items": {uuid.UUID(ident): (uuid.UUID(owner), day(due)) for ident, owner, due in items},
            "turns": {uuid.UUID(ident): uuid.UUID(item) for ident, item in turns},
        }

    def _keys(self) -> View:
        state = keystore_state()
        backups = BackupKey.objects.using("keystore").values_list("pk", "destroy_on")
        reserved = ReservedHandle.objects.using("keystore").values_list("tag", "until")
        return {
            "epoch": state.epoch,
            "dirty": state.dirty,
            "days": (self.day(state.slow_date), self.day(state.rotated_on)),
            "applied": state.ledger_length,
            "users": set(UserKey.objects.using("keystore").values_list("pk", flat=True)),
            "items": dict(ItemKey.objects.using("keystore").values_list("pk", "owner")),
            "backups": {self.backups[ident]: self.day(due) for ident, due in backups},
            "reserved": {HANDLES[bytes(tag)]: self.day(until) for tag, until in reserved},
        }

    def _entry(self, entry: Any) -> tuple[str, Any, int]:
        return str(entry.kind), self.subjects.get(entry.tag), self.day(entry.day)

    def _epoch_file(self, file: EpochFile | None) -> View | None:
        """A pin that the ledger does not reach is none."""
        if file is None:
            return None
        chain = self.house.chain()
        length, head = file.pin
        reached = length <= chain.head.length and chain.hashes[length] == (head or chain.hashes[0])
        return {"slots": set(file.slots), "pin": length if reached else "another ledger"}

    def _oldest_slot(self) -> int | None:
        """What died in an epoch before it is done. None while the escrow is away: then nothing is."""
        try:
            return rotation.oldest_slot()
        except EscrowAway:
            return None

    def _copies(self) -> list[Any]:
        """Those that open with the epoch file's keys: what lies in them."""
        found = []
        for _, copy in copies.newest_copies(self.house.open_slots("F")):
            of = {name: {from_json(row["id"]) for row in copy.tables[name]} for name in ("user", "item")}
            backups = {self.backups[from_json(row["id"])] for row in copy.tables["backup"]}
            found.append((copy.epoch, sorted(of["user"]), sorted(of["item"]), sorted(backups), copy.chain.head.length))
        return found

    # ---- who kept every keystore

    def keep_for_attacker(self) -> None:
        """Today's keystore, and what lies in every copy that opens."""
        self.hoard |= {("user", row.pk, row.pk, bytes(row.wrapped)) for row in UserKey.objects.using("keystore")}
        self.hoard |= {("item", row.pk, row.owner, bytes(row.wrapped)) for row in ItemKey.objects.using("keystore")}
        self.hoard |= {("backup", row.pk, row.pk, bytes(row.wrapped)) for row in BackupKey.objects.using("keystore")}
        for _, copy in copies.newest_copies(self.house.open_slots("F")):
            for kind in ("user", "item", "backup"):
                rows = [{name: from_json(value) for name, value in row.items()} for row in copy.tables[kind]]
                self.hoard |= {(kind, row["id"], row.get("owner", row["id"]), row["wrapped"]) for row in rows}

    def opened_by_attacker(self) -> set[Any]:
        """Whose key comes out of the hoard with the epoch keys that the root key gives today, and what these open."""
        keys, users, opened = self.house.open_keys(), dict[uuid.UUID, bytes](), set[Any]()
        for kind in ("user", "item", "backup"):
            for blob in [blob for blob in self.hoard if blob[0] == kind]:
                found = [self._try(blob, key, users.get(blob[2], b"")) for key in keys]
                if key := next(filter(None, found), None):
                    opened.add(self.backups.get(blob[1], blob[1]))
                    users |= {blob[1]: key} if kind == "user" else {}
        return opened

    def _try(self, blob: Blob, epoch_key: bytes, user_key: bytes) -> bytes | None:
        """Once for each pair of keys: none of them changes any more."""
        attempt = (blob, epoch_key, user_key)
        if attempt not in self.tried:
            self.tried[attempt] = _unwrap(*attempt)
        return self.tried[attempt]


def _unwrap(blob: Blob, epoch_key: bytes, user_key: bytes) -> bytes | None:
    kind, ident, owner, wrapped = blob
    try:
        if kind == "user":
            return unwrap_user_key(ident, wrapped, epoch_key=epoch_key)
        if kind == "backup":
            return unwrap_backup_key(ident, wrapped, epoch_key=epoch_key)
        return unwrap_item_key(ident, owner, wrapped, epoch_key=epoch_key, user_key=user_key) if user_key else None
    except Unreadable:
        return None


def look_at(w: World) -> View:
    """The same of a world of the model."""
    assert w.D is not None
    assert w.K is not None
    return {
        "rows": {
            "people": {ident: (row.handle, row.state, row.due) for ident, row in w.D.people.items()},
            "items": {ident: (row.owner, row.bin) for ident, row in w.D.items.items()},
            "turns": w.D.turns,
            "applied": w.D.applied,
        },
        "keys": {
            "epoch": w.K.epoch,
            "dirty": w.K.dirty,
            "days": (w.K.slow, w.K.rotated),
            "applied": len(w.K.applied),
            "users": w.K.users,
            "items": w.K.items,
            "backups": w.K.backups,
            "reserved": w.K.reserved,
        },
        "ledger": list(w.L or ()),
        "files": {"F": _file(w, w.F), "S": _file(w, w.escrow)},
        "copies": sorted(
            (copy.K.epoch, sorted(copy.K.users), sorted(copy.K.items), sorted(copy.K.backups), len(copy.L))
            for copy in w.opening_copies(w.F.slots if w.F else frozenset())
        ),
        "backups": w.living_backups(),
        "older": (w.K.gen < w.D.kgen, w.D.gen < w.K.dgen),
        "readable": w.readable(),
        "oldest": min(w.F.slots | w.escrow.slots) if w.F and w.escrow else None,
        "attacker": w.opened_by_attacker(),
    }


def _file(w: World, file: Any) -> View | None:
    reached = file and extends(w.L or (), file.pin)
    return {"slots": set(file.slots), "pin": len(file.pin) if reached else "another ledger"} if file else None
