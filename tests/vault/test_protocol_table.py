"""All 31 sets of old files put back, one erasure in between: the outcome is the protocol's table, line for line."""

from __future__ import annotations

import itertools
import uuid

import pytest

from mindstage.ledger.book import Kind
from mindstage.ops.backup import back_up
from mindstage.ops.restore import replay
from mindstage.vault.start_check import Mode
from vault import protocol
from vault.protocol import Files, House, handle_of

pytestmark = pytest.mark.drill

ANNA, BERT = uuid.UUID(int=0xA), uuid.UUID(int=0xB)
ITEM, TURN = uuid.UUID(int=0xC), uuid.UUID(int=0xD)
SETS = ["".join(names) for size in range(1, 6) for names in itertools.combinations("DKLFS", size)]

OPEN, RESTORING, REFUSED, SERVES = "open", "restoring", "refused", "serves the erased"
SAME_EPOCH = {
    **dict.fromkeys(["D", "DF", "DS", "DFS", "K", "KF", "KS", "KFS"], RESTORING),
    **dict.fromkeys(["DK", "DKF", "DKS", "DKFS", "F", "S", "FS"], OPEN),
    **dict.fromkeys(["DKLF", "DKLFS"], SERVES),
}
AFTER_ROTATION = {
    **dict.fromkeys(["D", "DF", "DS", "KFS"], RESTORING),
    **dict.fromkeys(["F", "S", "DKFS"], OPEN),
    **dict.fromkeys(["DKLFS"], SERVES),
}
"""Everything else is refused."""


def prepare(house: House, *, turned: bool) -> Files:
    """Two people, a backup, the old files; then one of them is erased, perhaps with the night that follows."""
    house.run(lambda: protocol.sign_up(ANNA, "anna", "the words of anna"))
    house.run(lambda: protocol.write(ANNA, ITEM, TURN, "a turn of anna"))
    house.run(lambda: protocol.sign_up(BERT, "bert", "the words of bert"))
    house.run(lambda: back_up(house.configuration))
    old = house.files()
    house.run(lambda: protocol.freeze(ANNA, days=0))
    house.run(lambda: protocol.destroy(house, Kind.PERSON, ANNA))
    if turned:
        house.day += 1
        house.run(lambda: protocol.night(house))
    return old


def outcome(house: House) -> str:
    mode = house.start()
    if mode is not Mode.OPEN:
        return str(mode)
    seen = house.read_all()
    assert BERT.hex in seen, "a living person is unreadable"
    return SERVES if {ANNA.hex, TURN.hex} & set(seen) else OPEN


@pytest.mark.parametrize("turned", [False, True], ids=["same epoch", "after the rotation"])
def test_every_set_of_old_files_ends_as_the_table_says(house: House, turned: bool) -> None:
    """31 sets, twice."""
    old = prepare(house, turned=turned)
    expected = AFTER_ROTATION if turned else SAME_EPOCH
    found = {}
    for names in SETS:
        with house.clone():
            house.put(old, names)
            found[names] = outcome(house)
    assert found == {names: expected.get(names, REFUSED) for names in SETS}


@pytest.mark.parametrize("turned", [False, True], ids=["same epoch", "after the rotation"])
def test_a_replay_opens_what_was_restoring_and_raises_nobody(house: House, turned: bool) -> None:
    """`mindstage restore --replay` ends open, and the next plain start too; the erased stay erased."""
    old = prepare(house, turned=turned)
    for names in SETS:
        with house.clone():
            house.put(old, names)
            if house.start() is Mode.RESTORING:
                with house.time():
                    assert replay(handle_of=handle_of).gate.mode is Mode.OPEN
                assert outcome(house) == OPEN
                assert outcome(house) == OPEN


def test_with_the_escrow_away_a_snapshot_of_the_machine_is_not_caught(house: House) -> None:
    """The documented line: D+K+L+F after the rotation is refused only by an escrow that is in reach."""
    old = prepare(house, turned=True)
    house.escrow_away(True)
    house.put(old, "DKLF")
    assert outcome(house) == SERVES
