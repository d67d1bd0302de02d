"""Power fails after the n-th durable write of every deed, for every n; the next start must put everything right."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from mindstage.ledger.book import Kind
from mindstage.ops.backup import back_up, list_backups
from mindstage.ops.disasters import begin_new_ledger, restore_machine
from mindstage.ops.restore import choose_copy, replay, restore_database, restore_keystore
from mindstage.vault import rotation
from mindstage.vault.start_check import Mode
from settings_for_tests import SERVER
from vault import protocol
from vault.household import ANNA, BERT, ITEM, SECOND, TURN
from vault.protocol import House, handle_of

pytestmark = pytest.mark.drill

CLEO = uuid.UUID(int=0xC)
MOST = 80
"""More durable writes than any deed makes."""
EVERY = 5 if SERVER else 1
"""On a server, where all takes ten times as long, one write in so many is the last."""


@pytest.fixture
def lived_in(lived_in: House) -> House:
    """Besides, one turned epoch, and Anna's freeze that is over."""
    lived_in.run(rotation.rotate)
    lived_in.run(lambda: protocol.freeze(ANNA, days=0))
    return lived_in


def ended(house: House) -> bool:
    """Whether Anna's end stands in the ledger."""
    return any(entry.kind is Kind.PERSON for entry in house.chain().entries)


def check(house: House) -> None:
    """Open; the erased unreadable; the living readable."""
    assert house.start() is Mode.OPEN
    seen = set(house.read_all())
    assert {BERT.hex, SECOND.hex} <= seen
    if not ended(house):
        assert {ANNA.hex, TURN.hex} <= seen
        return
    assert not {ANNA.hex, TURN.hex} & seen
    assert not {ANNA, ITEM, TURN} & set(protocol.Rows().subjects())
    assert not protocol.UserKey.objects.using("keystore").filter(pk=ANNA).exists()
    assert not protocol.ItemKey.objects.using("keystore").filter(owner=ANNA).exists()


def crash_everywhere(house: House, deed: Callable[[], object], then: Callable[[House], None] = check) -> int:
    """Run `deed` with a power failure after each of its durable writes, and again at each write of the next start."""
    for number in range(1, MOST, EVERY):
        with house.clone():
            came_to_end = house.run(deed, fails_after=number)
            if not came_to_end:
                with house.clone():
                    then(house)
                for again in range(1, 12, EVERY):
                    with house.clone():
                        if house.run(house.start_as_deed, fails_after=again):
                            break
                        then(house)
            else:
                then(house)
                return number
    raise AssertionError("the deed never ended")


def test_destroying_a_person(lived_in: House) -> None:
    """Every write of an erasure; after the start it is either recorded and done, or not begun."""
    assert crash_everywhere(lived_in, lambda: protocol.destroy(lived_in, Kind.PERSON, ANNA)) >= 5


def test_a_night_in_which_a_person_ends(lived_in: House) -> None:
    """Clock, keys of backups, an erasure, a backup, the six writes of a rotation."""
    lived_in.day += 1
    assert crash_everywhere(lived_in, lambda: protocol.night(lived_in)) >= 15


def survive_losses(house: House) -> None:
    """The crash takes an artefact with it: epoch file, escrow, keystore, or all but escrow, copies and backups."""
    for name in "FS":
        with house.clone():
            house.put({name: None}, name)
            check(house)
    with house.clone():
        house.put({"K": None}, "K")
        with house.time():
            restore_keystore(*choose_copy(), handle_of=handle_of)
        check(house)
    with house.clone():
        house.put(dict.fromkeys("DKLF"), "DKLF")
        with house.time():
            restore_machine(handle_of=handle_of)
        check(house)


def test_turning_the_epoch(lived_in: House) -> None:
    """Each of the six writes; and after the next start one slot is left in file and escrow, whatever else is lost."""
    lived_in.run(lambda: protocol.destroy(lived_in, Kind.PERSON, ANNA))

    def turned_or_not(house: House) -> None:
        survive_losses(house)
        check(house)
        file, escrow = house.epochs("F"), house.epochs("S")
        assert file is not None
        assert escrow is not None
        assert file.slots == escrow.slots
        assert len(file.slots) == 1

    assert crash_everywhere(lived_in, rotation.rotate, turned_or_not) >= 6


def test_a_backup(lived_in: House) -> None:
    """Whatever is cut off, what was there before opens; a snapshot without a key of its own does not stay."""
    before = len(list_backups(lived_in.configuration.backups_dir))

    def still_opens(house: House) -> None:
        check(house)
        backups = list_backups(house.configuration.backups_dir)
        assert len(backups) >= before
        with house.time():
            back_up(house.configuration)
            assert not list(house.configuration.backups_dir.glob("taking-*"))
            restore_database(backups[-1], handle_of=handle_of)
        check(house)

    assert crash_everywhere(lived_in, lambda: back_up(lived_in.configuration), still_opens) >= 4


def test_restoring_a_database(lived_in: House) -> None:
    """The old rows of an erased person never come back, wherever the restore is cut off."""
    lived_in.run(lambda: protocol.destroy(lived_in, Kind.PERSON, ANNA))
    (backup,) = list_backups(lived_in.configuration.backups_dir)
    assert crash_everywhere(lived_in, lambda: restore_database(backup, handle_of=handle_of)) >= 3


def test_restoring_a_keystore(lived_in: House) -> None:
    """From the newest copy, which still holds the erased person's key."""
    lived_in.run(lambda: protocol.destroy(lived_in, Kind.PERSON, ANNA))
    path, copy = choose_copy()
    assert crash_everywhere(lived_in, lambda: restore_keystore(path, copy, handle_of=handle_of)) >= 3


@pytest.mark.parametrize("names", ["D", "K"])
def test_replaying_old_files(lived_in: House, names: str) -> None:
    """A replay that is cut off leaves the gate closed or the work done; it is simply run again."""
    old = lived_in.files()
    lived_in.run(lambda: protocol.destroy(lived_in, Kind.PERSON, ANNA))
    lived_in.put(old, names)
    assert lived_in.start() is Mode.RESTORING

    def run_again(house: House) -> None:
        if house.start() is Mode.RESTORING:
            with house.time():
                replay(handle_of=handle_of)
        check(house)

    crash_everywhere(lived_in, lambda: replay(handle_of=handle_of), run_again)


def test_a_new_ledger(lived_in: House) -> None:
    """The gap: run again until it is done; old backups and old copies open no more."""
    lived_in.run(lambda: protocol.destroy(lived_in, Kind.PERSON, ANNA))
    lived_in.places["L"].unlink()
    for folder in (lived_in.root / "backups" / "keystore", lived_in.root / "escrow" / "keystore"):
        for path in folder.glob("*.copy"):
            path.unlink()

    def run_again(house: House) -> None:
        if house.start() is Mode.REFUSED:
            with house.time():
                begin_new_ledger(handle_of=handle_of)
        assert house.start() is Mode.OPEN
        assert set(house.read_all()) == {BERT.hex, SECOND.hex}
        assert house.chain().base == 1
        assert not list_backups(house.configuration.backups_dir)

    crash_everywhere(lived_in, lambda: begin_new_ledger(handle_of=handle_of), run_again)


def test_a_new_machine(lived_in: House) -> None:
    """Root key, escrow, copies and backups are left; cut off anywhere, it is run again."""
    lived_in.day += 1
    lived_in.run(lambda: protocol.night(lived_in))
    for name in "DKLF":
        lived_in.put({name: None}, name)

    def run_again(house: House) -> None:
        if house.start() is not Mode.OPEN:
            with house.time():
                assert restore_machine(handle_of=handle_of).gate.mode is Mode.OPEN
        assert house.start() is Mode.OPEN
        assert set(house.read_all()) == {BERT.hex, SECOND.hex}

    crash_everywhere(lived_in, lambda: restore_machine(handle_of=handle_of), run_again)
