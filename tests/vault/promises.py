"""What is promised, whatever happened: the invariants of a history, told apart from the model of the protocol."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from mindstage.vault.marks import keystore_state
from mindstage.vault.tags import ledger_tag
from vault import protocol
from vault.account import Account, Standing
from vault.protocol import House
from vault.twin import Twin


class Promises(Standing):
    """S1/S2 nobody opens what is done; S3 the living lose nothing; S4 the ended never come back; S5 backups end."""

    house: House
    account: Account
    twin: Twin

    def ended(self) -> set[uuid.UUID]:
        """What the ledger has ended."""
        tags = {entry.tag for entry in self.house.chain().entries if entry.kind in ("person", "item", "turn")}
        a = self.account
        return {x for x in {*a.handles, *a.owner, *a.item} if ledger_tag(x) in tags}

    def gone(self) -> set[uuid.UUID]:
        return {part for subject in self.ended() for part in self.account.parts(subject)}

    def keep_promises(self, attacker: set[Any]) -> None:
        """`attacker`: whose keys come out of every keystore there ever was, with today's epoch keys."""
        ended, gone = self.ended(), self.gone()
        seen = self.twin.onlooker.texts
        assert not set(seen) & gone, "S4 served after its end"
        lost = {x for x, text in self.account.living.items() if x not in gone and seen.get(x) != text}
        assert not lost, "S3 the living are unreadable"
        self.note_ends(ended)
        self.check_keystore(ended)
        assert not self.account.done & attacker, "S1/S2 opens after done"
        self.check_backups(attacker)

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

    def check_backups(self, attacker: set[Any]) -> None:
        file, escrow, state = self.house.epochs("F"), self.house.epochs("S"), keystore_state()
        settled = file and escrow and set(file.slots) == set(escrow.slots) == {state.epoch} and not state.dirty
        if settled and self.house.skew >= 0:
            for backup, (_, day) in self.account.in_backup.items():
                old = self.house.day - day > 31
                assert not (old and self.twin.onlooker.backups.get(backup) in attacker), "S5 an old backup opens"
