"""A machine that plays histories of a small instance, with power failures and old files: on the program and on the
model of its protocol, which must agree after each step, and against what is promised. `test_protocol_histories.py` lets
it run at random, and plays fixed histories with it."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mindstage.ledger.book import Kind
from mindstage.ops.backup import Backup, list_backups
from mindstage.ops.disasters import restore_machine
from mindstage.ops.restore import RestoreRefused, choose_copy, replay, restore_database, restore_keystore
from mindstage.vault import clocks
from mindstage.vault.start_check import Mode
from vault import protocol
from vault import protocol_return as returns
from vault.account import Account, clocks_alive
from vault.promises import Promises
from vault.protocol import FAST, Files, Power, handle_of, harness
from vault.protocol_model import World
from vault.protocol_return import start
from vault.twin import Deed, Twin

FORGETFUL = 40
"""How many moments an attacker, or a careless operator, has kept."""

when = st.one_of(st.none(), st.none(), st.integers(1, 4), st.integers(1, 16))
"""After which durable write the power fails, if it does."""
SOME_FILES = st.one_of(st.sampled_from([{"D"}, {"K"}]), st.sets(st.sampled_from("DKLFS"), min_size=1))
Machine: Any = RuleBasedStateMachine


def pick[T](data: Any, pool: list[T]) -> T:
    """One of them, at random; in a fixed history (no `data`) the last."""
    return pool[-1] if data is None else data.draw(st.sampled_from(pool))


def vault_machine(template: Any) -> type:  # noqa: C901 - a machine knows its template by closure
    class Vault(Promises, Machine):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.folder = Path(tempfile.mkdtemp(prefix="mindstage-history-", dir=FAST))
            power = Power()
            self.harness = ExitStack()
            self.harness.enter_context(harness(template, power))
            self.harness.enter_context(template.quick_dumps())
            self.house, self.account = template.new_house(self.folder, power), Account()
            self.twin, self.past = Twin(self.house), list[Files]()
            self.names = iter(range(1, 10_000))
            for handle in "ab":
                self.sign_up(handle, None)
                self.write(None, None)

        def teardown(self) -> None:
            self.house.unplug()
            self.harness.close()
            shutil.rmtree(self.folder, ignore_errors=True)

        def go(
            self,
            deed: Callable[[], Any],
            course: Deed,
            c: int | None = None,
            again: int | None = None,
            *,
            kept: bool = True,
            backup: str = "",
        ) -> bool:
            """Do it; if the power fails, start again, perhaps failing once more. True when it came to its end."""
            finished = self.house.run(deed, fails_after=c)
            self.follow(course, finished=finished, backup=backup)
            if kept or not finished:
                self.keep_files()
            if not finished:
                if again is not None:
                    self.follow(start, finished=self.house.run(self.house.start_as_deed, fails_after=again))
                    self.keep_files()
                assert self.twin.start() is Mode.OPEN, "S7 not open after a crash"
            return finished

        def follow(self, course: Deed, *, finished: bool, backup: str = "") -> None:
            """The model does what the program did, or was doing: of all that it may have come to, what is there."""
            self.twin.onlooker.name_backup(backup)
            if finished:
                self.twin.run(course)  # compared at the end of the step
            else:
                self.twin.cut_off(course)
                self.twin.compare()

        def keep_files(self) -> None:
            self.past = [*self.past[-FORGETFUL:], self.house.files()]
            self.twin.keep_files(FORGETFUL)
            self.twin.keep_for_attacker()

        def fresh(self) -> uuid.UUID:
            ident = uuid.UUID(int=next(self.names))
            self.twin.onlooker.meet(ident)
            return ident

        def fresh_backup(self) -> str:
            return f"backup {next(self.names)}"

        # ---- rules

        @rule(handle=st.sampled_from("abc"), c=when)
        def sign_up(self, handle: str, c: int | None) -> None:
            person, made = self.fresh(), []
            self.account.handles[person] = handle
            deed = lambda: made.append(protocol.sign_up(person, handle, f"person {person}"))  # noqa: E731
            if self.go(deed, lambda w: w.sign_up(person, handle), c) and made[0]:
                with self.house.time():
                    until = self.account.reserved.get(handle)
                    assert until is None or clocks.slow_date() >= until, "a reserved handle was taken"
                self.account.living[person] = f"person {person}"

        @rule(c=when, data=st.data())
        def write(self, c: int | None, data: Any) -> None:
            people = self.people("active")
            if people:
                person = pick(data, people)
                item, turn = self.fresh(), self.fresh()
                self.account.owner[item], self.account.item[turn] = person, item
                text = f"turn {turn}"
                deed = lambda: protocol.write(person, item, turn, text)  # noqa: E731
                if person in self.keyed_people() and self.go(deed, lambda w: w.write(person, item, turn), c):
                    self.account.living[turn] = text

        @rule(c=when, data=st.data())
        def add_turn(self, c: int | None, data: Any) -> None:
            if items := self.items():
                item, turn = pick(data, items), self.fresh()
                self.account.item[turn] = item
                deed = lambda: protocol.add_turn(item, turn, f"turn {turn}")  # noqa: E731
                if self.go(deed, lambda w: w.add_turn(item, turn), c):
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
            subject = pick(data, pool)
            deed = {"freeze": protocol.freeze, "trash": protocol.trash}.get(what, protocol.keep)
            course = {"freeze": World.freeze, "trash": World.trash}.get(what, World.keep)
            if what in ("keep", "unbin"):
                self.account.wished.pop(subject, None)
            else:
                self.account.wished[subject] = self.house.day + (7 if what == "freeze" else 30)
            self.go(lambda: deed(subject), lambda w: course(w, subject), c, again)
            if (
                what in ("freeze", "trash") and c is None and again is not None
            ):  # second thoughts, with a backup between
                self.backup(None, None)
                self.account.wished.pop(subject, None)
                self.go(lambda: protocol.keep(subject), lambda w: w.keep(subject))

        @rule(c=when, again=when, data=st.data(), kind=st.sampled_from([Kind.PERSON, Kind.ITEM, Kind.TURN]))
        def destroy(self, c: int | None, again: int | None, data: Any, kind: Kind) -> None:
            pool = {Kind.PERSON: lambda: self.people("active"), Kind.ITEM: self.items, Kind.TURN: self.turns}[kind]()
            if not pool:
                return
            subject = pick(data, pool)
            self.account.wished[subject] = self.house.day
            if kind is Kind.PERSON:
                self.go(lambda: protocol.freeze(subject, days=0), lambda w: w.freeze(subject, 0))
            deed = lambda: protocol.destroy(self.house, kind, subject)  # noqa: E731
            self.go(deed, lambda w: w.destroy(str(kind), subject), c, again)

        @rule(c=when, again=when)
        def backup(self, c: int | None, again: int | None) -> None:
            before, name = self.backup_files(), self.fresh_backup()
            kept = {x: text for x, text in self.account.living.items() if x not in self.gone()}
            self.go(lambda: protocol.take_backup(self.house), lambda w: w.backup(name), c, again, backup=name)
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
                before, name = self.backup_files(), self.fresh_backup()
                self.go(
                    lambda: protocol.night(self.house),
                    lambda w, name=name: w.night(name),  # type: ignore[misc]
                    c if number == n - 1 else None,
                    again,
                    kept=(n - number) % 10 == 1,
                    backup=name,
                )
                self.note_backups(before, {x: t for x, t in self.account.living.items() if x not in self.gone()})

        @rule(c=when, again=when)
        def turn_epoch(self, c: int | None, again: int | None) -> None:
            """A new epoch, though nothing may have died in this one."""
            self.go(protocol.turn_now, World.rotate, c, again)

        @rule(away=st.booleans())
        def escrow(self, away: bool) -> None:
            self.house.escrow_away(away)

        @rule(n=st.sampled_from([3, 20, 100]), skew=st.sampled_from([-100, 0, 0, 5, 40, 400]), confirm=st.booleans())
        def machine_off(self, n: int, skew: int, confirm: bool) -> None:
            """It was off for some days, and its clock may come back wrong; perhaps somebody puts it right."""
            self.house.day += n
            self.house.skew = skew
            assert self.twin.start() is Mode.OPEN, "S7"
            if confirm:
                self.house.skew = 0
                deed = lambda: protocol.shift(clocks.lag()) if clocks.lag() else None  # noqa: E731
                self.go(deed, lambda w: w.shift(w.lag) if w.lag else iter(()))

        @rule(data=st.data(), c=when)
        def restore_from_backup(self, data: Any, c: int | None) -> None:
            with self.house.time():
                paths = [b for b in self.backup_files() if Backup(b).id in clocks_alive()]
            if not paths:
                return
            self.go_back_to(Backup(pick(data, sorted(paths))), c)

        def go_back_to(self, chosen: Backup, c: int | None = None) -> None:
            before, name = self.house.files()["D"], self.twin.onlooker.backups[chosen.id]
            deed = lambda: restore_database(chosen, handle_of=handle_of)  # noqa: E731
            self.go(deed, lambda w: returns.restore_database(w, name), c)
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
                self.go_back_before_a_keep(what, pick(data, pool), between=between, after=days + 1)

        def go_back_before_a_keep(self, what: str, subject: uuid.UUID, *, between: int, after: int) -> None:
            self.account.wished[subject] = self.house.day + (7 if what == "freeze" else 30)
            deed, course = {"freeze": (protocol.freeze, World.freeze), "trash": (protocol.trash, World.trash)}[what]
            self.go(lambda: deed(subject), lambda w: course(w, subject))
            others = self.backup_files()
            self.backup(None, None)
            chosen = self.backup_files() - others
            self.account.wished.pop(subject, None)
            self.go(lambda: protocol.keep(subject), lambda w: w.keep(subject))
            self.nights(between, None, None)
            for backup in map(Backup, chosen):  # none, where the date lags by a month
                if backup.id in clocks_alive():
                    self.go_back_to(backup)
            self.nights(after, None, None)

        @rule(c=when)
        def restore_keys(self, c: int | None) -> None:
            try:
                path, copy = choose_copy()
            except RestoreRefused:
                return
            self.go(lambda: restore_keystore(path, copy, handle_of=handle_of), returns.restore_newest_copy, c)
            self.account.living = {x: t for x, t in self.account.living.items() if x in self.keyed()}
            self.account.reserved = {
                h: d for h, d in self.account.reserved.items() if protocol.is_reserved(protocol.tag_of(h))
            }

        @rule(back=st.integers(1, FORGETFUL), names=SOME_FILES)
        def old_files(self, back: int, names: set[str]) -> None:
            """Put back by hand, then a plain start: caught, unless the protocol says that nothing can catch it."""
            back = min(back, len(self.past))
            files = self.past[-back]
            if not self.house.escrow_here:
                names.discard("S")
            if not names or any(files[name] is None for name in names):
                return
            gone, living, here = self.gone(), dict(self.account.living), self.house.escrow_here
            ahead = here and "S" not in names and self.escrow_is_ahead(files)
            with self.twin.clone():
                self.house.put(files, "".join(sorted(names)))
                self.twin.put_back(back, "".join(names))
                mode = self.twin.start()
                if mode is Mode.RESTORING:
                    self.both(lambda: replay(handle_of=handle_of), returns.replay)
                if mode is Mode.REFUSED:
                    return
                seen = set(self.twin.onlooker.texts)
                assert not (seen & gone) or (set("DKLF") <= names and not ahead), f"S4 {sorted(names)} serve the erased"
                if mode is Mode.OPEN:
                    silent = "D" not in names and set(living) - gone - seen
                    assert not silent, f"S6 {sorted(names)} lose the living in silence"

        def both(self, deed: Callable[[], Any], course: Deed) -> None:
            """A deed of the operator's, which is refused on both or on neither; then they look the same."""
            try:
                with self.house.time():
                    mode = deed().gate.mode
            except RestoreRefused:
                mode = Mode.REFUSED
            assert mode in {world.mode for world in self.twin.run(course)}, f"the program is {mode}"
            if mode is Mode.OPEN:
                self.twin.compare()

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
            with self.twin.clone():
                self.twin.lose(name)
                mode = self.twin.start()
                if name in "FS" or (name == "L" and nothing_ended):
                    assert mode is Mode.OPEN, f"S6 {name} not healed"
                    assert living - gone <= set(self.twin.onlooker.texts), f"S6 {name} not healed"
                    return
                assert mode is Mode.REFUSED, f"S6 {name} lost and served"
                if name == "K":
                    deed = lambda: restore_keystore(*choose_copy(), handle_of=handle_of)  # noqa: E731
                    self.both(deed, returns.restore_newest_copy)
                    assert not gone & set(self.twin.onlooker.texts)
                if name == "D" and (backups := self.living_backups()):
                    chosen = self.twin.onlooker.backups[backups[0].id]
                    deed = lambda: restore_database(backups[0], handle_of=handle_of)  # noqa: E731
                    self.both(deed, lambda w: returns.restore_database(w, chosen))
                    kept = {x for x in self.account.in_backup[backups[0].id][0] if x in self.keyed()}
                    assert kept - gone <= set(self.twin.onlooker.texts), "S3 lost though the backup had it"

        def living_backups(self) -> list[Backup]:
            with self.house.time():
                return list_backups(self.house.configuration.backups_dir)

        @precondition(lambda self: self.house.escrow_here and self.account.in_backup)
        @rule()
        def lose_the_machine(self) -> None:
            done = set(self.account.done)
            with self.twin.clone():
                self.twin.lose("DKLF")
                self.both(lambda: restore_machine(handle_of=handle_of), returns.restore_machine)
                back = {part for subject in done for part in self.account.parts(subject)}
                assert not back & set(self.twin.onlooker.texts), "S4 what was done came back"

        @invariant()
        def holds(self) -> None:
            seen = self.twin.onlooker.look()
            self.keep_promises(seen["attacker"])
            self.twin.compare(seen)

    return Vault
