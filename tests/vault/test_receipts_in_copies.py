"""Receipts that wait to be fetched go with the ledger: into the keystore's copies, and onto a new machine."""

from __future__ import annotations

import os
import shutil
import uuid

import pytest

from mindstage.kit import clock
from mindstage.ops.disasters import begin_new_ledger, restore_machine
from mindstage.vault import copies, rotation
from mindstage.vault.start_check import Mode
from vault import protocol
from vault.protocol import House, handle_of

BERT, ITEM, TURN = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
NAME, SEALED = f"{'0f' * 20}.sealed", b"sealed to a claim code"
DAYS_AGO = 20


@pytest.fixture
def lived_in(house: House) -> House:
    """Somebody with an item, a receipt that waits since twenty days, and one night."""
    house.run(lambda: protocol.sign_up(BERT, "bert", "bert"))
    house.run(lambda: protocol.write(BERT, ITEM, TURN, "turn"))
    folder = house.configuration.receipts_dir
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(SEALED)
    os.utime(folder / NAME, (written(), written()))
    house.day += 1
    house.run(lambda: protocol.night(house))
    return house


def written() -> int:
    return int(clock.timestamp()) // 86_400 * 86_400 - DAYS_AGO * 86_400


def it_waits(house: House) -> None:
    """It is there, as it was, and ends when it would have ended."""
    path = house.configuration.receipts_dir / NAME
    assert path.read_bytes() == SEALED
    assert int(path.stat().st_mtime) == written()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_new_machine_has_the_receipts_that_wait(lived_in: House) -> None:
    """Whoever was erased before the disaster still fetches what is owed to them."""
    lived_in.put(dict.fromkeys("DKLF"), "DKLF")
    shutil.rmtree(lived_in.configuration.ledger_dir, ignore_errors=True)
    with lived_in.time():
        assert restore_machine(handle_of=handle_of).gate.mode is Mode.OPEN
    it_waits(lived_in)


def test_a_ledger_out_of_a_copy_brings_its_receipts(lived_in: House) -> None:
    """They lay beside it, so they were lost with it."""
    shutil.rmtree(lived_in.configuration.ledger_dir)
    with lived_in.time():
        assert begin_new_ledger(handle_of=handle_of).gate.mode is Mode.OPEN
    it_waits(lived_in)


def test_a_copy_holds_no_receipt_that_has_ended(lived_in: House) -> None:
    """The next copy is without it, and the one that had it opens no more once the epoch has turned."""
    (lived_in.configuration.receipts_dir / NAME).unlink()
    lived_in.run(rotation.rotate)
    lived_in.run(copies.write_copy)
    lived_in.put(dict.fromkeys("DKLF"), "DKLF")
    with lived_in.time():
        assert restore_machine(handle_of=handle_of).gate.mode is Mode.OPEN
    assert not list(lived_in.configuration.receipts_dir.glob("*"))
