"""The protocol of keys, erasure, backup and restore, as a machine of symbols: what the program is compared with.

No bytes, no files, no ciphers. A key is a name; "opens" means that every name on the way to a text is there. Days are
whole numbers, the ledger is a tuple of entries, and a pin is the ledger as it was when somebody wrote its head down.

Whatever changes an artefact is a *course*: a generator that stands still after each durable write. Run to its end it is
the deed; left where it stands still it is the deed cut off there. `tests/vault/twin.py` plays both beside the program.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

Ident = Hashable
Course = Iterator[str]
Entry = tuple[str, Ident, int]
"""Kind (person, item, turn, keep), whom it means, the slow day on which it was written."""
Ledger = tuple[Entry, ...]

OPEN, RESTORING, REFUSED = "open", "restoring", "refused"
FREEZE, BIN, BACKUP, RESERVED, MONTH, MADE_UP, COPIES = 7, 30, 30, 30, 30, 2, 2
ENDS_KEYS = ("person", "item")


@dataclass(frozen=True)
class Person:
    handle: str
    state: str = "active"
    due: int | None = None


@dataclass(frozen=True)
class Item:
    owner: Ident
    bin: int | None = None


@dataclass
class Database:
    """D. `gen` counts its commits that need keys or end them, `kgen` is the newest keystore that it has met."""

    gen: int = 0
    kgen: int = 0
    applied: int = 0
    people: dict[Ident, Person] = field(default_factory=dict)
    items: dict[Ident, Item] = field(default_factory=dict)
    turns: dict[Ident, Ident] = field(default_factory=dict)

    def copy(self) -> Database:
        return replace(self, people=dict(self.people), items=dict(self.items), turns=dict(self.turns))


@dataclass
class Keystore:
    """K. What it holds of keys is who has one: all of them are wrapped by the key of `epoch`."""

    epoch: int = 1
    gen: int = 1
    dgen: int = 0
    applied: Ledger = ()
    dirty: bool = False
    slow: int = 0
    rotated: int = 0
    users: set[Ident] = field(default_factory=set)
    items: dict[Ident, Ident] = field(default_factory=dict)
    backups: dict[str, int] = field(default_factory=dict)
    reserved: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Keystore:
        own = {name: getattr(self, name).copy() for name in ("users", "items", "backups", "reserved")}
        return replace(self, **own)

    def replay(self, ledger: Ledger, rows: Database | None) -> None:
        """End the keys that the tail names. A handle is kept back as long as its row still tells which it was."""
        for kind, subject, day in ledger[len(self.applied) :]:
            if kind in ENDS_KEYS:
                if rows and subject in rows.people:
                    self.reserved[rows.people[subject].handle] = day + RESERVED
                self.users.discard(subject)
                self.items = {item: owner for item, owner in self.items.items() if subject not in (item, owner)}
                self.dirty = True
        self.applied = ledger


@dataclass(frozen=True)
class EpochFile:
    """F and S: which epoch keys whoever holds the root key gets out of it, and the ledger that it vouches for."""

    slots: frozenset[int] = frozenset({1})
    pin: Ledger = ()


@dataclass(frozen=True)
class Copy:
    """A copy of keystore and ledger, sealed by the key of the keystore's epoch."""

    K: Keystore
    L: Ledger


def clearings(kind: str, subject: Ident) -> list[Callable[[Database], None]]:
    """What an entry does to the rows, batch by batch."""

    def turns(d: Database) -> None:
        mine = {item for item, row in d.items.items() if subject in (item, row.owner)}
        d.turns = {turn: item for turn, item in d.turns.items() if item not in mine and turn != subject}

    def items(d: Database) -> None:
        d.items = {item: row for item, row in d.items.items() if subject not in (item, row.owner)}

    def person(d: Database) -> None:
        d.people.pop(subject, None)

    def thaw(d: Database) -> None:
        if subject in d.people:
            d.people[subject] = replace(d.people[subject], state="active", due=None)

    def unbin(d: Database) -> None:
        if subject in d.items:
            d.items[subject] = replace(d.items[subject], bin=None)

    return {"person": [turns, items, person], "item": [turns, items], "turn": [turns], "keep": [thaw, unbin]}[kind]


def extends(ledger: Ledger, head: Ledger) -> bool:
    return ledger[: len(head)] == head


@dataclass
class World:
    """Every artefact as it lies on its disk, after the first start of an instance that nobody has used."""

    wall: int = 0
    mode: str = OPEN
    escrow_here: bool = True
    D: Database | None = field(default_factory=Database)
    K: Keystore | None = field(default_factory=Keystore)
    L: Ledger | None = ()
    F: EpochFile | None = field(default_factory=EpochFile)
    S: EpochFile | None = field(default_factory=EpochFile)
    copies: dict[str, list[Copy]] = field(default_factory=lambda: {"backups": [], "escrow": []})
    backups: dict[str, tuple[int, Database]] = field(default_factory=dict)
    """Name -> the wall's day on which it was taken, and the rows in it."""
    hoard: list[tuple[int, set[Ident]]] = field(default_factory=list)
    """Every keystore that somebody kept: its epoch, and whose keys lie in it."""
    past: list[dict[str, Any]] = field(default_factory=list)
    """Every artefact as it was at earlier moments, for whoever puts old files back."""

    def clone(self) -> World:
        copies = {place: list(those) for place, those in self.copies.items()}
        return replace(self, copies=copies, backups=dict(self.backups), hoard=list(self.hoard), past=list(self.past))

    # ---- two databases that count, and know each other's count

    @contextmanager
    def keys(self) -> Iterator[Keystore]:
        new = self.K.copy()
        yield new
        new.gen, new.dgen = new.gen + 1, max(new.dgen, self.D.gen)
        self.K = new

    @contextmanager
    def rows(self, *, counted: bool = True) -> Iterator[Database]:
        new = self.D.copy()
        yield new
        if counted:
            new.gen, new.kgen = new.gen + 1, max(new.kgen, self.K.gen)
        self.D = new

    @property
    def eager(self) -> int:
        return max(self.wall, self.K.slow)

    @property
    def lag(self) -> int:
        return max(0, self.wall - self.K.slow)

    @property
    def escrow(self) -> EpochFile | None:
        return self.S if self.escrow_here else None

    # ---- living: the key first, then the row

    def sign_up(self, person: Ident, handle: str) -> Course:
        taken = any(row.handle == handle for row in self.D.people.values())
        if taken or self.K.reserved.get(handle, 0) > self.K.slow:
            return
        with self.keys() as k:
            k.users.add(person)
        yield "user key"
        with self.rows() as d:
            d.people[person] = Person(handle)
        yield "row"

    def write(self, person: Ident, item: Ident, turn: Ident) -> Course:
        if person not in self.K.users:
            return
        with self.keys() as k:
            k.items[item] = person
        yield "item key"
        if person in self.D.people and self.D.people[person].state == "active":
            with self.rows() as d:
                d.items[item], d.turns[turn] = Item(person), item
            yield "row"

    def add_turn(self, item: Ident, turn: Ident) -> Course:
        """It needs no new key, so it is not counted until the night."""
        if item in self.K.items:
            with self.rows(counted=False) as d:
                d.turns[turn] = item
            yield "row"

    def freeze(self, person: Ident, days: int = FREEZE) -> Course:
        with self.rows() as d:
            d.people[person] = replace(d.people[person], state="frozen", due=self.K.slow + days)
        yield "row"

    def trash(self, item: Ident) -> Course:
        with self.rows() as d:
            d.items[item] = replace(d.items[item], bin=self.K.slow + BIN)
        yield "row"

    # ---- ending and keeping: the ledger first, then its pin, then keys, then rows

    def destroy(self, kind: str, subject: Ident) -> Course:
        if kind == "person":
            with self.rows() as d:
                d.people[subject] = replace(d.people[subject], state="destroying")
            yield "no way back"
        yield from self.record(kind, subject)
        yield from self.apply_to_keys()
        yield from self.apply_to_rows()

    def keep(self, subject: Ident) -> Course:
        yield from self.record("keep", subject)
        yield from self.apply_to_rows()

    def record(self, kind: str, subject: Ident) -> Course:
        self.L = (*self.L, (kind, subject, self.K.slow))
        yield "ledger"
        yield from self.pin()

    def pin(self) -> Course:
        if self.F.pin != self.L:
            self.F = replace(self.F, pin=self.L)
            yield "pin"

    def apply_to_keys(self) -> Course:
        if self.K.applied != self.L:
            with self.keys() as k:
                k.replay(self.L, self.D)
            yield "keys"

    def apply_to_rows(self) -> Course:
        if tail := self.L[self.D.applied :]:
            for clear in [clear for kind, subject, _ in tail for clear in clearings(kind, subject)]:
                with self.rows(counted=False) as d:
                    clear(d)
                yield "a batch of rows"
            with self.rows() as d:
                d.applied = len(self.L)
            yield "rows"

    # ---- copies, backups, the night

    def copy_keystore(self) -> Course:
        """Into both places; older ones of this epoch give way, and those of former epochs, which nothing opens."""
        copy, places = Copy(self.K, self.L), ["backups", "escrow"] if self.escrow_here else ["backups"]
        for place in places:
            self.copies[place].append(copy)
            yield f"copy in {place}"
        for place in places:
            those = sorted(self.copies[place], key=lambda one: (one.K.epoch, one.K.gen))
            current = [one for one in those if one.K.epoch == self.K.epoch][-COPIES:]
            self.copies[place] = current + [one for one in those if one.K.epoch > self.K.epoch]
        yield "older copies gone"

    def opening_copies(self, slots: frozenset[int]) -> list[Copy]:
        """The newest last."""
        places = self.copies if self.escrow_here else ["backups"]
        those = [copy for place in places for copy in self.copies[place] if copy.K.epoch in slots]
        return sorted(those, key=lambda copy: (copy.K.epoch, copy.K.gen))

    def backup(self, name: str) -> Course:
        """None is taken whose key would be dead already, by the wall's date."""
        if self.lag >= BACKUP:
            yield from self.copy_keystore()
            return
        with self.keys() as k:
            k.backups[name] = k.slow + BACKUP
        yield "backup key"
        self.backups[name] = (self.wall, self.D)
        yield "backup file"
        yield from self.copy_keystore()
        old, alive = self.eager - BACKUP, self.living_backups()
        self.backups = {name: one for name, one in self.backups.items() if name in alive or one[0] > old}
        yield "older backups gone"

    def living_backups(self) -> list[str]:
        """Those whose key lives, also by the eager date: the newest first."""
        alive = {name: due for name, due in self.K.backups.items() if name in self.backups and due > self.eager}
        order = list(self.backups)
        return sorted(alive, key=lambda n: (alive[n], self.backups[n][0], order.index(n)), reverse=True)

    def night(self, name: str) -> Course:
        with self.rows():
            pass
        yield "the rows are counted, whatever was written today"
        with self.keys() as k:
            k.slow += 1
            k.reserved = {handle: until for handle, until in k.reserved.items() if until > k.slow}
        yield "slow date"
        if 0 < self.lag <= MADE_UP:
            yield from self.shift(self.lag)
        yield from self.expire()
        for person, row in sorted(self.D.people.items()):
            if row.state == "destroying" or (row.state == "frozen" and row.due <= self.K.slow):
                yield from self.destroy("person", person)
        for item, thing in sorted(self.D.items.items()):
            if thing.bin is not None and thing.bin <= self.K.slow:
                yield from self.destroy("item", item)
        yield from self.backup(name)
        month_old = self.K.slow - self.K.rotated >= MONTH
        yield from self.rotate() if self.K.dirty or month_old else self.resume_rotation()

    def expire(self) -> Course:
        if dead := [name for name, due in self.K.backups.items() if due <= self.eager]:
            with self.keys() as k:
                k.backups = {name: due for name, due in k.backups.items() if name not in dead}
                k.dirty = True
            yield "backup keys"

    def shift(self, days: int) -> Course:
        """The slow date catches up, and all that waits for it moves along; keys of backups do not."""
        with self.rows() as d:
            d.people = {p: replace(row, due=None if row.due is None else row.due + days) for p, row in d.people.items()}
            d.items = {i: replace(row, bin=None if row.bin is None else row.bin + days) for i, row in d.items.items()}
        yield "rows"
        with self.keys() as k:
            k.slow += days
            k.reserved = {handle: until + days for handle, until in k.reserved.items()}
        yield "slow date"
        yield from self.expire()

    # ---- turning the epoch: F, S, the keystore, a copy, F, S

    def rotate(self) -> Course:
        if not self.escrow_here or self._another_turned():
            return
        if len(self.F.slots) == 1:
            self.F = EpochFile(self.F.slots | {max(self.F.slots) + 1}, self.L)
            yield "1"
        yield from self.resume_rotation()

    def resume_rotation(self) -> Course:
        if not self.escrow_here or self._another_turned():
            return
        newest = max(self.F.slots)
        if newest > self.K.epoch:
            self.S = self._pinned_to_copy()
            yield "2"
            with self.keys() as k:
                k.items = {item: owner for item, owner in k.items.items() if owner in k.users}
                k.epoch, k.dirty, k.rotated = newest, False, k.slow
            yield "3"
        if len(self.F.slots) > 1:
            yield from self.copy_keystore()
            self.F = EpochFile(frozenset({self.K.epoch}), self.L)
            yield "5"
        if (pinned := self._pinned_to_copy()) != self.S:
            self.S = pinned
            yield "6"

    def _another_turned(self) -> bool:
        return self.S is not None and max(self.S.slots) > max(self.F.slots)

    def _pinned_to_copy(self) -> EpochFile:
        """No further than a copy reaches: a new machine has nothing else."""
        copies = self.opening_copies(self.F.slots)
        return replace(self.F, pin=copies[-1].L if copies else self.S.pin if self.S else ())

    # ---- what an onlooker finds

    def readable(self) -> set[Ident]:
        people = {person for person in self.D.people if person in self.K.users}
        return people | {turn for turn, item in self.D.turns.items() if self.K.items.get(item) in self.K.users}

    def opened_by_attacker(self) -> set[Ident]:
        """Whose key comes out of any keystore there ever was, with the root key and today's F and S."""
        slots = {number for file in (self.F, self.S) if file for number in file.slots}
        return set().union(*(whose for epoch, whose in self.hoard if epoch in slots))

    def keep_for_attacker(self) -> None:
        kept = [self.K, *(copy.K for copy in self.opening_copies(frozenset(self.F.slots)))] if self.K else []
        self.hoard += [(k.epoch, {*k.users, *k.items, *k.backups}) for k in kept]
