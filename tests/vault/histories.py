"""A machine that plays histories of a small instance, with power failures and old files, against an account of what
must be true. `test_protocol_histories.py` lets it run at random, and plays fixed histories with it."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mindstage.ledger.book import Kind
from mindstage.ops.backup import Backup
from mindstage.ops.disasters import restore_machine
from mindstage.ops.restore import RestoreRefused, choose_copy, restore_database, restore_keystore
from mindstage.vault import clocks
from mindstage.vault.marks import keystore_state
from mindstage.vault.start_check import Mode
from mindstage.vault.tags import ledger_tag
from vault import protocol
from vault.account import Account, Standing, clocks_alive, clocks_alive_in
from vault.hoard import OldKeystore, read_old
from vault.protocol import FAST, Files, Power, handle_of, harness

FORGETFUL = 40
"""How many moments an attacker, or a careless operator, has kept."""

when = st.one_of(st.none(), st.none(), st.integers(1, 4), st.integers(1, 12))
"""After which durable write the power fails, if it does."""
Machine: Any = RuleBasedStateMachine


def vault_machine(template: Any) -> type:  # noqa: C901 - a machine knows its template by closure
    class Vault(Standing, Machine):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.folder = Path(tempfile.mkdtemp(prefix="mindstage-history-", dir=FAST))
            power = Power()
            self.harness = ExitStack()
            self.harness.enter_context(harness(template, power))
            self.harness.enter_context(template.quick_dumps())
            self.house, self.account = template.new_house(self.folder, power), Account()
            self.past: list[tuple[Files, int]] = []
            self.hoard: dict[tuple[int, int], OldKeystore] = {}
            self.names = iter(range(1, 10_000))
            for handle in "ab":
                self.sign_up(handle, None)
                self.write(None, list(self.account.handles)[-1])

        def teardown(self) -> None:
            self.house.unplug()
            self.harness.close()
            shutil.rmtree(self.folder, ignore_errors=True)

        def go(
            self, deed: Callable[[], Any], c: int | None = None, again: int | None = None, *, kept: bool = True
        ) -> bool:
            """Do it; if the power fails, start again, perhaps failing once more. True when it came to its end."""
            finished = self.house.run(deed, fails_after=c)
            if kept or not finished:
                self.keep_files()
            if not finished:
                if again is not None:
                    self.house.run(self.house.start_as_deed, fails_after=again)
                    self.keep_files()
                assert self.house.start() is Mode.OPEN, "S7 not open after a crash"
            return finished

        def keep_files(self) -> None:
            files = self.house.files()
            self.past = [*self.past[-FORGETFUL:], (files, self.house.day)]
            if files["K"] and (old := read_old(files["K"])):
                self.hoard[old.epoch, len(self.hoard)] = old

        def fresh(self) -> uuid.UUID:
            return uuid.UUID(int=next(self.names))

        # ---- what the ledger says

        def ended(self) -> set[uuid.UUID]:
            tags = {entry.tag for entry in self.house.chain().entries if entry.kind in ("person", "item", "turn")}
            a = self.account
            return {x for x in {*a.handles, *a.owner, *a.item} if ledger_tag(x) in tags}

        def gone(self) -> set[uuid.UUID]:
            return {part for subject in self.ended() for part in self.account.parts(subject)}

        # ---- rules

        @rule(handle=st.sampled_from("abc"), c=when)
        def sign_up(self, handle: str, c: int | None) -> None:
            person, made = self.fresh(), []
            self.account.handles[person] = handle
            if self.go(lambda: made.append(protocol.sign_up(person, handle, f"person {person}")), c) and made[0]:
                with self.house.time():
                    until = self.account.reserved.get(handle)
                    assert until is None or clocks.slow_date() >= until, "a reserved handle was taken"
                self.account.living[person] = f"person {person}"

        @rule(c=when, data=st.data())
        def write(self, c: int | None, data: Any) -> None:
            people = self.people("active")
            if people:
                person = data if isinstance(data, uuid.UUID) else data.draw(st.sampled_from(people))
                item, turn = self.fresh(), self.fresh()
                self.account.owner[item], self.account.item[turn] = person, item
                text = f"turn {turn}"
                if person in self.keyed_people() and self.go(lambda: protocol.write(person, item, turn, text), c):
                    self.account.living[turn] = text

        @rule(c=when, data=st.data())
        def add_turn(self, c: int | None, data: Any) -> None:
            if items := self.items():
                item, turn = data.draw(st.sampled_from(items)), self.fresh()
                self.account.item[turn] = item
                if self.go(lambda: protocol.add_turn(item, turn, f"turn {turn}"), c):
                    self.account.living[turn] = f"turn {turn}"

        @rule(c=when, again=when, data=st.data(), what=st.sampled_from(["freeze", "trash", "keep", "unbin"]))
        def wish(self, c: int | None, again: int | None, data: Any, what: str) -> None:
            pool = {
                "freeze": lambda: self.people("active"),
                "keep": lambda: self.people("frozen"),
                "trash": self.items,
                "unbin": lambda: self.items(binned=True),
            }[what]()
            if not pool:
                return
            subject = data.draw(st.sampled_from(pool))
            deed = {"freeze": protocol.freeze, "trash": protocol.trash}.get(what, protocol.keep)
            if what in ("keep", "unbin"):
                self.account.wished.pop(subject, None)
            else:
                self.account.wished[subject] = self.house.day + (7 if what == "freeze" else 30)
            self.go(lambda: deed(subject), c, again)
            if (
                what in ("freeze", "trash") and c is None and again is not None
            ):  # second thoughts, with a backup between
                self.backup(None, None)
                self.account.wished.pop(subject, None)
                self.go(lambda: protocol.keep(subject))

        @rule(c=when, again=when, data=st.data(), kind=st.sampled_from([Kind.PERSON, Kind.ITEM, Kind.TURN]))
        def destroy(self, c: int | None, again: int | None, data: Any, kind: Kind) -> None:
            pool = {Kind.PERSON: lambda: self.people("active"), Kind.ITEM: self.items, Kind.TURN: self.turns}[kind]()
            if not pool:
                return
            subject = data.draw(st.sampled_from(pool))
            self.account.wished[subject] = self.house.day
            if kind is Kind.PERSON:
                self.go(lambda: protocol.freeze(subject, days=0))
            self.go(lambda: protocol.destroy(self.house, kind, subject), c, again)

        @rule(c=when, again=when)
        def backup(self, c: int | None, again: int | None) -> None:
            before = self.backup_files()
            kept = {x: text for x, text in self.account.living.items() if x not in self.gone()}
            self.go(lambda: protocol.take_backup(self.house), c, again)
            self.note_backups(before, kept)

        def backup_files(self) -> set[Path]:
            return set(self.house.configuration.backups_dir.glob("*.backup"))

        def note_backups(self, before: set[Path], kept: dict[uuid.UUID, str]) -> None:
            for path in self.backup_files() - before:
                self.account.in_backup[Backup(path).id] = (kept, self.house.day)

        @rule(n=st.sampled_from(template.nights), c=when, again=when)
        def nights(self, n: int, c: int | None, again: int | None) -> None:
            for number in range(n):
                self.house.day += 1
                before = self.backup_files()
                self.go(
                    lambda: protocol.night(self.house),
                    c if number == n - 1 else None,
                    again,
                    kept=(n - number) % 10 == 1,
                )
                self.note_backups(before, {x: t for x, t in self.account.living.items() if x not in self.gone()})

        @rule(away=st.booleans())
        def escrow(self, away: bool) -> None:
            self.house.escrow_away(away)

        @rule(n=st.sampled_from([3, 20, 100]), skew=st.sampled_from([-100, 0, 0, 5, 40, 400]), confirm=st.booleans())
        def machine_off(self, n: int, skew: int, confirm: bool) -> None:
            """It was off for some days, and its clock may come back wrong; perhaps somebody puts it right."""
            self.house.day += n
            self.house.skew = skew
            assert self.house.start() is Mode.OPEN, "S7"
            if confirm:
                self.house.skew = 0
                self.go(lambda: protocol.shift(clocks.lag()) if clocks.lag() else None)

        @rule(data=st.data(), c=when)
        def restore_from_backup(self, data: Any, c: int | None) -> None:
            with self.house.time():
                paths = [b for b in self.backup_files() if Backup(b).id in clocks_alive()]
            if not paths:
                return
            self.go_back_to(Backup(data.draw(st.sampled_from(sorted(paths)))), c)

        def go_back_to(self, chosen: Backup, c: int | None = None) -> None:
            before = self.house.files()["D"]
            self.go(lambda: restore_database(chosen, handle_of=handle_of), c)
            if self.house.files()["D"] != before and chosen.id in self.account.in_backup and self.swapped(chosen):
                kept = self.account.in_backup[chosen.id][0]
                self.account.living = {x: text for x, text in kept.items() if x in self.keyed()}

        def swapped(self, chosen: Backup) -> bool:
            """Whether the rows are those of the backup: nothing of later is there."""
            rows = {uuid.UUID(r[0]) for t in ("t_person", "t_turn") for r in protocol.sql(f"SELECT id FROM {t}")}
            kept = set(self.account.in_backup[chosen.id][0])
            later = set(self.account.living) - kept - self.gone()
            return not (later & rows)

        def keyed(self) -> set[uuid.UUID]:
            users = self.keyed_people()
            items = set(protocol.ItemKey.objects.using("keystore").values_list("pk", flat=True))
            return users | {turn for turn, item in self.account.item.items() if item in items}

        @rule(data=st.data(), what=st.sampled_from(["freeze", "trash"]), between=st.sampled_from([0, 8]))
        def keep_and_go_back(self, data: Any, what: str, between: int) -> None:
            """Somebody keeps what they had ended; then the operator goes back to a backup that remembers its end."""
            if pool := self.people("active") if what == "freeze" else self.items():
                days = 7 if what == "freeze" else 30
                self.go_back_before_a_keep(what, data.draw(st.sampled_from(pool)), between=between, after=days + 1)

        def go_back_before_a_keep(self, what: str, subject: uuid.UUID, *, between: int, after: int) -> None:
            self.account.wished[subject] = self.house.day + (7 if what == "freeze" else 30)
            self.go(lambda: {"freeze": protocol.freeze, "trash": protocol.trash}[what](subject))
            others = self.backup_files()
            self.backup(None, None)
            (chosen,) = self.backup_files() - others
            self.account.wished.pop(subject, None)
            self.go(lambda: protocol.keep(subject))
            self.nights(between, None, None)
            if Backup(chosen).id in clocks_alive():
                self.go_back_to(Backup(chosen))
            self.nights(after, None, None)

        @rule(c=when)
        def restore_keys(self, c: int | None) -> None:
            try:
                path, copy = choose_copy()
            except RestoreRefused:
                return
            self.go(lambda: restore_keystore(path, copy, handle_of=handle_of), c)
            self.account.living = {x: t for x, t in self.account.living.items() if x in self.keyed()}
            self.account.reserved = {
                h: d for h, d in self.account.reserved.items() if protocol.is_reserved(protocol.tag_of(h))
            }

        @rule(back=st.integers(1, FORGETFUL), names=st.sets(st.sampled_from("DKLFS"), min_size=1))
        def old_files(self, back: int, names: set[str]) -> None:
            """Put back by hand, then a plain start: caught, unless the protocol says that nothing can catch it."""
            files, _ = self.past[-min(back, len(self.past))]
            if not self.house.escrow_here:
                names.discard("S")
            if not names or any(files[name] is None for name in names):
                return
            gone, living, here = self.gone(), dict(self.account.living), self.house.escrow_here
            ahead = here and "S" not in names and self.escrow_is_ahead(files)
            with self.house.clone():
                self.house.put(files, "".join(sorted(names)))
                if self.house.start() is not Mode.OPEN:
                    return
                seen = {uuid.UUID(x) for x in self.house.read_all()}
                assert not (seen & gone) or (set("DKLF") <= names and not ahead), f"S4 {sorted(names)} serve the erased"
                assert "D" in names or not (set(living) - gone - seen), f"S6 {sorted(names)} lose the living in silence"

        def escrow_is_ahead(self, files: Files) -> bool:
            escrow = self.house.epochs("S")
            assert escrow is not None
            with self.house.clone():
                self.house.put(files, "FL")
                then = self.house.epochs("F")
                assert then is not None
                return escrow.newest > then.newest or escrow.pin[0] > self.house.chain().head.length

        @precondition(lambda self: self.house.escrow_here)
        @rule(name=st.sampled_from("FSKDL"))
        def lose_one(self, name: str) -> None:
            gone, living = self.gone(), set(self.account.living)
            nothing_ended = not self.house.chain().head.length
            with self.house.clone():
                self.house.put({name: None}, name)
                mode = self.house.start()
                if name in "FS" or (name == "L" and nothing_ended):
                    assert mode is Mode.OPEN, f"S6 {name} not healed"
                    assert living - gone <= {uuid.UUID(x) for x in self.house.read_all()}, f"S6 {name} not healed"
                    return
                assert mode is Mode.REFUSED, f"S6 {name} lost and served"
                if name == "K":
                    with self.house.time():
                        assert restore_keystore(*choose_copy(), handle_of=handle_of).gate.mode is Mode.OPEN
                    assert not gone & {uuid.UUID(x) for x in self.house.read_all()}

        @precondition(lambda self: self.house.escrow_here and self.account.in_backup)
        @rule()
        def lose_the_machine(self) -> None:
            done, alive = set(self.account.done), clocks_alive_in(self.house)
            with self.house.clone():
                self.house.put(dict.fromkeys("DKLF"), "DKLF")
                with self.house.time():
                    try:
                        report = restore_machine(handle_of=handle_of)
                    except RestoreRefused:
                        assert not alive, "S7 no copy opens"
                        return
                assert report.gate.mode is Mode.OPEN
                back = {part for subject in done for part in self.account.parts(subject)}
                assert not back & {uuid.UUID(x) for x in self.house.read_all()}, "S4 what was done came back"

        # ---- what must be true

        @invariant()
        def holds(self) -> None:
            ended, gone = self.ended(), self.gone()
            seen = {uuid.UUID(x): text for x, text in self.house.read_all().items()}
            assert not set(seen) & gone, "S4 served after its end"
            lost = {x for x, text in self.account.living.items() if x not in gone and seen.get(x) != text}
            assert not lost, "S3 the living are unreadable"
            self.note_ends(ended)
            self.check_keystore(ended)
            self.check_attacker()

        def note_ends(self, ended: set[uuid.UUID]) -> None:
            epoch = keystore_state().epoch
            for subject in ended:
                if subject in self.account.item:
                    continue
                self.house.died.setdefault(subject, epoch)
                if subject not in self.account.done and self.is_done(subject):
                    self.account.done.add(subject)
                if subject not in self.account.ended:
                    self.account.ended.add(subject)
                    self.note_end(subject)

        def note_end(self, subject: uuid.UUID) -> None:
            """Nobody ends who did not wish it, or earlier than they were told. Their handle is reserved."""
            assert self.house.day >= self.account.wished.pop(subject, 1 << 30), "S3 ended unasked, or too early"
            if subject in self.account.living and subject in self.account.handles:
                entry = next(e for e in self.house.chain().entries if e.tag == ledger_tag(subject))
                self.account.reserved[self.account.handles[subject]] = entry.day + timedelta(days=30)

        def is_done(self, subject: uuid.UUID) -> bool:
            file, escrow = self.house.epochs("F"), self.house.epochs("S")
            if file is None or escrow is None:
                return False
            return min([*file.slots, *escrow.slots]) > self.house.died[subject]

        def check_keystore(self, ended: set[uuid.UUID]) -> None:
            items = dict(protocol.ItemKey.objects.using("keystore").values_list("pk", "owner"))
            assert not set(items) & ended, "S4 a key of the ended"
            assert not set(items.values()) & ended, "S4 a key for the ended"
            assert not self.keyed_people() & ended, "S4 a key of the ended"
            assert not set(protocol.Rows().subjects()) & ended, "S4 rows of the ended"

        def check_attacker(self) -> None:
            """With the root key, today's epoch file and escrow, and every keystore there ever was."""
            slots = self.house.open_slots()
            for old in self.hoard.values():
                for subject in self.account.done & {*old.users, *old.items}:
                    assert not any(old.opens(subject, key) for key in slots), "S1/S2 opens after done"
            self.forget_closed(slots)
            self.check_backups(slots)

        def forget_closed(self, slots: list[bytes]) -> None:
            """Keystores of epochs that are gone for good need not be tried again, once they were."""
            alive = set(self.house.epochs("F").slots) | {keystore_state().epoch}  # type: ignore[union-attr]
            if self.house.escrow_here and (escrow := self.house.epochs("S")):
                alive |= set(escrow.slots)
                self.hoard = {name: old for name, old in self.hoard.items() if old.epoch in alive}

        def check_backups(self, slots: list[bytes]) -> None:
            file, escrow, state = self.house.epochs("F"), self.house.epochs("S"), keystore_state()
            settled = file and escrow and set(file.slots) == set(escrow.slots) == {state.epoch} and not state.dirty
            if not settled or self.house.skew < 0:
                return
            for backup, (_, day) in self.account.in_backup.items():
                if self.house.day - day > 31:
                    for old in self.hoard.values():
                        assert not any(old.opens_backup(backup, key) for key in slots), "S5 an old backup opens"

    return Vault
