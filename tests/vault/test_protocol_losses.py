"""One artefact lost at a time; old keystore copies; an escrow that is away or was turned by another."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import pytest

from mindstage.kit import clock
from mindstage.ledger import book
from mindstage.ledger.book import Kind
from mindstage.ops.backup import list_backups
from mindstage.ops.disasters import begin_new_ledger
from mindstage.ops.restore import RestoreRefused, choose_copy, restore_database, restore_keystore
from mindstage.vault import clocks, copies, keys, rotation, start_check
from mindstage.vault.backup_keys import backup_ends
from mindstage.vault.epoch_file import read_epoch_file
from mindstage.vault.escrow import EscrowAway
from mindstage.vault.marks import keystore_state
from mindstage.vault.rotation import AnotherTurned, is_done
from mindstage.vault.sealing import Unreadable
from mindstage.vault.start_check import Mode
from mindstage.vault.wrapping import unwrap_item_key, unwrap_user_key
from vault import protocol
from vault.hoard import read_old
from vault.household import ANNA, BERT, OTHER, SECOND, erase_anna, lose, pass_night, unchanging
from vault.protocol import House, handle_of

pytestmark = pytest.mark.drill


@pytest.mark.parametrize("name", ["F", "S"])
def test_epoch_file_and_escrow_heal_each_other(lived_in: House, name: str) -> None:
    """Each is rebuilt from the other at the start, and everything opens."""
    erase_anna(lived_in)
    lose(lived_in, name)
    assert lived_in.start() is Mode.OPEN
    assert set(lived_in.read_all()) == {BERT.hex, SECOND.hex}
    file, escrow = lived_in.epochs("F"), lived_in.epochs("S")
    assert file is not None
    assert escrow is not None
    assert file.slots == escrow.slots


@pytest.mark.parametrize("name", ["D", "K", "L"])
def test_what_cannot_be_rebuilt_alone_is_refused(lived_in: House, name: str) -> None:
    """Database, keystore, ledger: never begun anew in silence."""
    erase_anna(lived_in)
    lose(lived_in, name)
    assert lived_in.start() is Mode.REFUSED
    assert lived_in.start() is Mode.REFUSED


def test_epoch_file_and_escrow_lost_together_is_the_end(lived_in: House) -> None:
    lose(lived_in, "FS")
    assert lived_in.start() is Mode.REFUSED


def test_a_lost_keystore_comes_back_from_its_newest_copy(lived_in: House) -> None:
    """What the copy knew opens; what came later is counted and said; the erased stay erased."""
    erase_anna(lived_in)
    late, lost = uuid.uuid4(), uuid.uuid4()
    lived_in.run(lambda: protocol.write(BERT, late, lost, "late"))
    lose(lived_in, "K")
    with lived_in.time():
        report = restore_keystore(*choose_copy(), handle_of=handle_of)
    assert report.gate.mode is Mode.OPEN
    assert (report.keyless, report.keys_of_ended) == (1, 0)
    assert set(lived_in.read_all()) == {BERT.hex, SECOND.hex}
    assert keys.item_key(OTHER)
    pass_night(lived_in)
    assert is_done(lived_in.died[ANNA])


def test_a_restored_keystore_keeps_the_date_and_turns_the_epoch(lived_in: House) -> None:
    """The date of the one that is replaced, for a leap would end a freeze; and what died since is soon out of reach."""
    pass_night(lived_in)
    for _ in range(3):
        lived_in.run(clocks.turn_night)
    day = keystore_state().slow_date
    assert not keystore_state().dirty
    with lived_in.time():
        assert restore_keystore(*choose_copy(), handle_of=handle_of).gate.mode is Mode.OPEN
    assert (keystore_state().slow_date, keystore_state().dirty) == (day, True)


def test_whoever_restores_a_keystore_is_asked_first(lived_in: House) -> None:
    """They see how many rows lose their keys, and may say no: then nothing was changed."""
    lived_in.run(lambda: protocol.write(BERT, uuid.uuid4(), uuid.uuid4(), "late"))
    before, asked = unchanging(lived_in), []
    with lived_in.time(), pytest.raises(RestoreRefused):
        restore_keystore(*choose_copy(), handle_of=handle_of, agree=lambda lost: bool(asked.append(lost)))
    assert asked == [1]
    assert unchanging(lived_in) == before


def test_a_lost_database_comes_back_from_a_backup(lived_in: House) -> None:
    """The erased person is in the backup, and is not in what is served."""
    erase_anna(lived_in)
    lose(lived_in, "D")
    with lived_in.time():
        report = restore_database(list_backups(lived_in.configuration.backups_dir)[0], handle_of=handle_of)
    assert report.gate.mode is Mode.OPEN
    assert (report.replayed, report.keys_of_ended) == (1, 0)
    assert set(lived_in.read_all()) == {BERT.hex, SECOND.hex}
    assert lived_in.start() is Mode.OPEN


def test_a_lost_ledger_is_found_in_the_newest_copy(lived_in: House) -> None:
    """When nothing was ended since that copy, nothing is lost at all."""
    erase_anna(lived_in)
    pass_night(lived_in)
    whole = lived_in.places["L"].read_bytes()
    lose(lived_in, "L")
    with lived_in.time():
        assert begin_new_ledger(handle_of=handle_of).gate.mode is Mode.OPEN
    assert lived_in.places["L"].read_bytes() == whole
    assert list_backups(lived_in.configuration.backups_dir)


def test_a_ledger_that_is_whole_is_not_begun_anew(lived_in: House) -> None:
    """Whoever asks for it by mistake loses no backup and no entry: refused, with everything as it was."""
    erase_anna(lived_in)
    before, ends = unchanging(lived_in), backup_ends()
    with lived_in.time(), pytest.raises(RestoreRefused, match="The ledger is here and whole; nothing was changed"):
        begin_new_ledger(handle_of=handle_of)
    assert (unchanging(lived_in), backup_ends()) == (before, ends)


def test_a_new_ledger_goes_on_where_the_lost_one_ended(lived_in: House) -> None:
    """Signed; backups and older copies are out of reach; later erasures are written on; a false gap is refused."""
    old = lived_in.files()
    erase_anna(lived_in)
    lose(lived_in, "L")
    with lived_in.time():
        assert begin_new_ledger(handle_of=handle_of).gate.mode is Mode.OPEN
    assert not backup_ends()
    assert lived_in.chain().base == 1
    lived_in.run(lambda: protocol.destroy(lived_in, Kind.ITEM, OTHER))
    assert lived_in.chain().head.length == 2
    assert lived_in.start() is Mode.OPEN
    assert set(lived_in.read_all()) == {BERT.hex}
    for names in ("D", "K", "L", "DK", "DKL", "DKLF"):
        with lived_in.clone():
            lived_in.put(old, names)
            assert lived_in.start() is not Mode.OPEN
    lived_in.places["L"].write_bytes(
        lived_in.places["L"].read_bytes().replace(b'"signature":"', b'"signature":"AAAA', 1)
    )
    assert lived_in.start() is Mode.REFUSED


@pytest.mark.parametrize("harm", ["shortened", "forked", "garbled"])
def test_a_ledger_that_is_another_is_refused(lived_in: House, harm: str) -> None:
    """Shorter, of the same length but different, or no ledger: refused; the sentence names a way out that is one."""
    erase_anna(lived_in)
    lived_in.run(lambda: protocol.destroy(lived_in, Kind.ITEM, OTHER))
    path = lived_in.places["L"]
    lines = path.read_bytes().splitlines(keepends=True)
    if harm == "forked":
        path.unlink()
        book.begin_book(path.parent)
        book.append(path.parent, kind=Kind.TURN, tags=["00" * 16, "11" * 16], day=clock.today())
    else:
        path.write_bytes(lines[0] if harm == "shortened" else b"no chain\n")
    harmed = path.read_bytes()
    assert lived_in.start() is Mode.REFUSED
    assert "restore --new-ledger" in start_check.current_gate().why
    with lived_in.time():
        assert begin_new_ledger(handle_of=handle_of).gate.mode is Mode.OPEN
    (aside,) = path.parent.glob(f"{book.NAME}.*.broken")
    assert aside.read_bytes() == harmed
    assert lived_in.start() is Mode.OPEN
    assert set(lived_in.read_all()) == {BERT.hex}


def test_a_garbled_ledger_is_taken_from_the_newest_copy(lived_in: House) -> None:
    """What is left of it is kept under another name; no entry and no backup is lost."""
    erase_anna(lived_in)
    pass_night(lived_in)
    path, ends = lived_in.places["L"], backup_ends()
    whole = path.read_bytes()
    path.write_bytes(b"no chain\n")
    with lived_in.time():
        assert begin_new_ledger(handle_of=handle_of).gate.mode is Mode.OPEN
    assert (path.read_bytes(), backup_ends()) == (whole, ends)
    (aside,) = path.parent.glob(f"{book.NAME}.*.broken")
    assert aside.read_bytes() == b"no chain\n"


@pytest.mark.parametrize("names", ["D", "K", "F", "DK"])
def test_no_new_ledger_where_the_others_do_not_agree_on_the_lost_one(lived_in: House, names: str) -> None:
    """One of them is of before the erasure, and the ledger that knew it is gone: nobody may be brought back so."""
    old = lived_in.files()
    erase_anna(lived_in)
    lose(lived_in, "L")
    lived_in.put(old, names)
    ends = backup_ends()
    with lived_in.time(), pytest.raises(RestoreRefused, match="do not agree on where the lost ledger ended"):
        begin_new_ledger(handle_of=handle_of)
    assert (backup_ends(), lived_in.places["L"].exists()) == (ends, False)


def test_a_new_ledger_waits_for_the_escrow(lived_in: House) -> None:
    """Without it the epoch cannot turn, and what nobody can replay would stay within reach: refused, as it was."""
    erase_anna(lived_in)
    lose(lived_in, "L")
    escrow = lived_in.configuration.escrow_dir
    away = escrow.rename(escrow.with_name("away"))
    ends = backup_ends()
    with lived_in.time(), pytest.raises(EscrowAway):
        begin_new_ledger(handle_of=handle_of)
    assert (backup_ends(), lived_in.places["L"].exists()) == (ends, False)
    away.rename(escrow)
    with lived_in.time():
        assert begin_new_ledger(handle_of=handle_of).gate.mode is Mode.OPEN


def test_a_torn_last_line_was_never_written(lived_in: House) -> None:
    """A crash within the append: the entry does not count, and the next one takes its place."""
    with lived_in.places["L"].open("ab") as file:
        file.write(b'{"day":"2026-01-0')
    assert lived_in.start() is Mode.OPEN
    erase_anna(lived_in)
    assert lived_in.start() is Mode.OPEN
    assert lived_in.chain().head.length == 1


def test_a_start_pins_the_entry_that_a_crash_left_unpinned(lived_in: House) -> None:
    """Else database, keystore and ledger of before would open together, and somebody ended with them."""
    old = lived_in.files()
    lived_in.run(lambda: protocol.freeze(ANNA, days=0))
    lived_in.run(lambda: protocol.destroy(lived_in, Kind.PERSON, ANNA), fails_after=2)  # the ledger, and not its pin
    assert lived_in.chain().head.length == 1
    assert pin_of(lived_in) == 0
    assert lived_in.start() is Mode.OPEN
    assert pin_of(lived_in) == 1
    lived_in.put(old, "DKL")
    assert lived_in.start() is Mode.REFUSED


def pin_of(house: House) -> int:
    epochs = read_epoch_file(house.configuration.keys_dir)
    assert epochs
    return epochs.pin[0]


def test_a_start_takes_the_copy_that_is_missing(house: House) -> None:
    """The first one, and one after all were lost: no instance is open for a day without a second keystore."""
    for _ in range(2):
        taken = [path for folder in copies.copy_folders() for path in folder.glob("*.copy")]
        assert len({path.parent for path in taken}) == 2
        for path in taken:
            path.unlink()
        assert house.start() is Mode.OPEN


def test_no_older_copy_of_the_keystore_opens_after_the_rotation(lived_in: House) -> None:
    """Every copy and every keystore file of the former epoch, with the root key, today's epoch file and the escrow."""
    hoard: list[Path] = []
    for folder in copies.copy_folders():
        for number, path in enumerate(folder.glob("*.copy")):
            kept = lived_in.root / f"hoard-{folder.parent.name}-{number}"
            kept.mkdir()
            hoard.append(Path(shutil.copy(path, kept)))
    old = read_old(lived_in.files()["K"] or b"")
    assert old is not None
    assert hoard
    epoch = old.epoch
    erase_anna(lived_in)
    assert opened(lived_in, hoard)  # until the epoch turns
    assert not is_done(lived_in.died[ANNA])
    pass_night(lived_in)
    assert is_done(lived_in.died[ANNA])
    assert not opened(lived_in, hoard)
    for key in lived_in.open_keys():
        with pytest.raises(Unreadable):
            unwrap_user_key(ANNA, old.users[ANNA], epoch_key=key)
        owner, wrapped = old.items[OTHER]
        with pytest.raises(Unreadable):
            unwrap_item_key(OTHER, owner, wrapped, epoch_key=key, user_key=keys.user_key(BERT))
    assert epoch < keystore_state().epoch


def opened(house: House, hoard: list[Path]) -> int:
    count = 0
    for path in hoard:
        for key in house.open_keys():
            for epoch in range(1, 10):
                try:
                    copies.open_copy(path, {epoch: key})
                    count += 1
                except copies.NoCopy:
                    continue
    return count


def test_while_the_escrow_is_away_nothing_turns_and_nothing_is_done(lived_in: House) -> None:
    """Erasures wait, backups go on; the place is never made anew, and all ends well when it is back."""
    erase_anna(lived_in)
    lived_in.escrow_away(True)
    before = lived_in.places["F"].read_bytes()
    with lived_in.time(), pytest.raises(EscrowAway):
        rotation.rotate()
    assert lived_in.places["F"].read_bytes() == before  # not even begun: no second slot lies about
    pass_night(lived_in)
    assert lived_in.start() is Mode.OPEN
    assert not is_done(lived_in.died[ANNA])
    assert not lived_in.escrow_here
    lived_in.escrow_away(False)
    assert lived_in.start() is Mode.OPEN
    pass_night(lived_in)
    assert is_done(lived_in.died[ANNA])


def test_an_escrow_that_went_away_on_the_first_day_is_not_made_anew(house: House) -> None:
    """Nothing was ended yet and no epoch has turned: that there was one is noted beside the root key all the same."""
    assert house.start() is Mode.OPEN
    assert keystore_state().epoch == 1
    house.escrow_away(True)
    assert house.start() is Mode.OPEN
    assert not house.escrow_here


def test_another_machine_that_turned_the_epoch_has_taken_over(lived_in: House) -> None:
    """This one neither turns nor starts on: its keystore belongs to an epoch that the escrow knows no more."""
    before = lived_in.files()
    lived_in.run(rotation.rotate)
    after = lived_in.files()
    lived_in.put(before, "DKLF")
    lived_in.put(after, "S")
    with lived_in.time(), pytest.raises(AnotherTurned):
        rotation.rotate()
    assert lived_in.places["F"].read_bytes() == before["F"]
    assert lived_in.start() is Mode.REFUSED


def test_an_erasure_is_not_done_while_the_escrows_file_is_lost(lived_in: House) -> None:
    """Nobody knows which epochs a lost one still opens: no receipt before a start has written it anew."""
    erase_anna(lived_in)
    lived_in.run(rotation.rotate)
    assert is_done(lived_in.died[ANNA])
    lose(lived_in, "S")
    assert lived_in.configuration.escrow_dir.is_dir()
    assert not is_done(lived_in.died[ANNA])
    assert lived_in.start() is Mode.OPEN
    assert is_done(lived_in.died[ANNA])


def test_a_reserved_handle_stays_reserved_after_a_replay(lived_in: House) -> None:
    """A keystore put back from before the erasure learns it again from the database's row, or keeps its own."""
    lived_in.run(lambda: protocol.freeze(ANNA, days=0))
    lived_in.run(lambda: protocol.destroy(lived_in, Kind.PERSON, ANNA), fails_after=3)  # ledger and pin, no key yet
    assert lived_in.start() is Mode.OPEN
    assert protocol.is_reserved(protocol.tag_of("anna"))
    for _ in range(29):
        pass_night(lived_in)
    assert protocol.is_reserved(protocol.tag_of("anna"))
    pass_night(lived_in)
    assert not protocol.is_reserved(protocol.tag_of("anna"))
