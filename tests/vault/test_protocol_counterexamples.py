"""Orders of events that once broke a draft of the protocol, each played on the real program.

docs/subsystems/protocol.md lists all sixteen, with the test that keeps each away; those without another stand here.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from mindstage.ledger.book import Kind
from mindstage.ops.backup import Backup, BackupFailed, back_up
from mindstage.ops.disasters import restore_machine
from mindstage.ops.restore import choose_copy, restore_database
from mindstage.vault import clocks, copies, keys, rotation
from mindstage.vault.backup_keys import backup_ends
from mindstage.vault.copies import from_json
from mindstage.vault.escrow import EscrowAway, read_escrow
from mindstage.vault.marks import keystore_state
from mindstage.vault.rotation import is_done
from mindstage.vault.start_check import Mode
from vault import protocol
from vault.hoard import read_old
from vault.household import ANNA, BERT, ITEM, SECOND, erase_anna, pass_night
from vault.protocol import House, handle_of

pytestmark = pytest.mark.drill


def take_backup(house: House) -> Backup:
    taken: list[Backup] = []
    house.run(lambda: taken.append(back_up(house.configuration)))
    return taken[0]


def stall_before_the_last_write(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn the epoch while the escrow is taken away in the middle: it still holds both epochs, the file only one."""
    write, written = rotation.write_escrow, []

    def once(*given: object) -> None:
        if written:
            raise EscrowAway
        written.append(write(*given))  # type: ignore[arg-type]

    with monkeypatch.context() as patched, house.time():
        patched.setattr(rotation, "write_escrow", once)
        with pytest.raises(EscrowAway):
            rotation.rotate()


def test_an_erasure_under_the_new_epoch_is_not_done_by_the_old_rotation(
    lived_in: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4: the rotation that stood still ends after the erasure, and its copy still holds the erased key: no receipt."""
    stall_before_the_last_write(lived_in, monkeypatch)
    erase_anna(lived_in)
    lived_in.run(rotation.resume_rotation)
    file, escrow = lived_in.epochs("F"), lived_in.epochs("S")
    assert file is not None
    assert escrow is not None
    assert file.slots == escrow.slots
    _, copy = choose_copy()
    assert ANNA in {from_json(row["id"]) for row in copy.tables["user"]}
    assert not is_done(lived_in.died[ANNA])
    lived_in.run(rotation.rotate)
    assert is_done(lived_in.died[ANNA])
    _, copy = choose_copy()
    assert ANNA not in {from_json(row["id"]) for row in copy.tables["user"]}


def test_a_backup_key_that_dies_by_the_clock_turns_the_epoch(lived_in: House) -> None:
    """5: no old keystore gives the key of a backup after its 31st night, though nobody was erased."""
    backup, old = take_backup(lived_in), read_old(lived_in.files()["K"])
    assert old is not None
    assert any(old.opens_backup(backup.id, key) for key in lived_in.open_keys())
    lived_in.day += 31
    assert lived_in.start() is Mode.OPEN
    assert keystore_state().dirty
    pass_night(lived_in)
    assert not keystore_state().dirty
    assert not any(old.opens_backup(backup.id, key) for key in lived_in.open_keys())


def test_the_escrow_is_never_pinned_ahead_of_the_newest_copy(lived_in: House) -> None:
    """8: an erasure since the last copy, then all is lost but root key, escrow, copies and backups: it opens."""
    erase_anna(lived_in)
    assert lived_in.start() is Mode.OPEN
    escrow, (_, copy) = read_escrow(lived_in.configuration.escrow_dir), choose_copy()
    assert escrow is not None
    assert escrow.pin[0] <= copy.chain.head.length < lived_in.chain().head.length
    lived_in.put(dict.fromkeys("DKLF"), "DKLF")
    with lived_in.time():
        assert restore_machine(handle_of=handle_of).gate.mode is Mode.OPEN
    assert {BERT.hex, SECOND.hex} <= set(lived_in.read_all())


def test_after_an_old_backup_the_newer_one_still_opens_wholly(lived_in: House) -> None:
    """12: keys whose rows an old backup does not have are no litter."""
    old, late, text = take_backup(lived_in), uuid.uuid4(), uuid.uuid4()
    lived_in.run(lambda: protocol.write(BERT, late, text, "late"))
    new = take_backup(lived_in)
    with lived_in.time():
        restore_database(old, handle_of=handle_of)
    assert text.hex not in lived_in.read_all()
    for _ in range(3):
        pass_night(lived_in)
    with lived_in.time():
        assert restore_database(new, handle_of=handle_of).keyless == 0
    assert lived_in.read_all()[text.hex] == "late"


@pytest.mark.parametrize("at", ["key", "row"])
def test_what_is_written_beside_an_erasure_leaves_neither_key_nor_row(
    lived_in: House, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """13: the erasure comes between a write's first look and its key, or between its key and its row."""
    from vault import deeds

    make = keys.create_item_key

    def meanwhile(item: uuid.UUID, *, owner: uuid.UUID) -> None:
        if at == "row":
            make(item, owner=owner)
        protocol.freeze(ANNA, days=0)
        protocol.destroy(lived_in, Kind.PERSON, ANNA)
        if at == "key":
            make(item, owner=owner)

    monkeypatch.setattr(deeds, "create_item_key", meanwhile)
    late, text = uuid.uuid4(), uuid.uuid4()
    with lived_in.time(), pytest.raises((keys.KeyGone, AssertionError)):
        protocol.write(ANNA, late, text, "late")
    assert not protocol.ItemKey.objects.using("keystore").filter(owner=ANNA).exists()
    assert not {ANNA, late, text} & set(protocol.Rows().subjects())
    assert lived_in.start() is Mode.OPEN


def test_a_handle_stays_reserved_after_a_backup_that_has_its_account(lived_in: House) -> None:
    """14: the reservation lies in the keystore; the restored row, replayed away, takes nothing of it along."""
    backup = take_backup(lived_in)
    erase_anna(lived_in)
    with lived_in.time():
        restore_database(backup, handle_of=handle_of)
        assert protocol.is_reserved(protocol.tag_of("anna"))
        assert not protocol.sign_up(uuid.uuid4(), "anna", "another")


def test_a_keystore_from_before_a_new_key_is_noticed(lived_in: House) -> None:
    """15: the row that needs the key says how old a keystore must be that has it."""
    old = lived_in.files()
    lived_in.run(lambda: protocol.write(BERT, uuid.uuid4(), uuid.uuid4(), "late"))
    lived_in.put(old, "K")
    assert lived_in.start() is Mode.RESTORING


def test_a_database_from_before_last_night_is_noticed_though_only_turns_were_written(lived_in: House) -> None:
    """A turn needs no new key, so no commit counts it: the night does. An old database costs a day at most unsaid."""
    old = lived_in.files()
    late = uuid.uuid4()
    lived_in.run(lambda: protocol.add_turn(ITEM, late, "a turn of today"))
    pass_night(lived_in)
    lived_in.put(old, "D")
    assert lived_in.start() is Mode.RESTORING


def test_power_that_fails_within_a_write_leaves_no_row_without_its_key(lived_in: House) -> None:
    """15: after each durable write of a sign-up and of a new item."""
    for number in (1, 2, 3):
        for deed in (
            lambda: protocol.sign_up(uuid.UUID(int=0xC), "cleo", "cleo"),
            lambda: protocol.write(BERT, uuid.UUID(int=0xD), uuid.UUID(int=0xE), "late"),
        ):
            with lived_in.clone():
                lived_in.run(deed, fails_after=number)
                assert lived_in.start() is Mode.OPEN
                assert protocol.count_keyless() == 0
                assert {BERT.hex, SECOND.hex} <= set(lived_in.read_all())


def test_copies_are_taken_before_the_old_epoch_ends(lived_in: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """3: a rotation whose copy cannot be made keeps both epochs, so that the copies of before still open."""

    def full(*_: object) -> None:
        raise OSError(28, "no space left")

    with monkeypatch.context() as patched, lived_in.time():
        patched.setattr(copies, "_write", full)
        with pytest.raises(OSError, match="no space left"):
            rotation.rotate()
    file = lived_in.epochs("F")
    assert file is not None
    assert len(file.slots) == 2
    assert choose_copy()
    assert lived_in.start() is Mode.OPEN
    file = lived_in.epochs("F")
    assert file is not None
    assert len(file.slots) == 1


def test_a_wrong_date_at_its_making_lets_no_backup_key_live_longer(lived_in: House) -> None:
    """11: the wall clock was weeks ahead when the backup was taken, and is right again: its key ends in 30 nights.

    Where it is a month ahead or more, the key would be due at once, and no backup is taken.
    """
    lived_in.skew = 400
    with pytest.raises(BackupFailed, match="--confirm-date"):
        take_backup(lived_in)
    lived_in.skew = 29
    backup = take_backup(lived_in)
    lived_in.skew = 0
    assert backup_ends()[backup.id] == clocks.slow_date() + timedelta(days=30)
    lived_in.day += 29
    with lived_in.time():
        assert backup.id in backup_ends()
    lived_in.day += 1
    assert lived_in.start() is Mode.OPEN
    with lived_in.time():
        assert backup.id not in backup_ends()
