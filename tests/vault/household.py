"""Anna and Bert in a house, and what can befall it, for tests of single losses."""

from __future__ import annotations

import uuid

from mindstage.ledger.book import Kind
from vault import protocol
from vault.protocol import House

ANNA, BERT = uuid.UUID(int=0xA), uuid.UUID(int=0xB)
ITEM, TURN, OTHER, SECOND = (uuid.UUID(int=0x10 + n) for n in range(4))
EVERYBODY = {ANNA.hex, TURN.hex, BERT.hex, SECOND.hex}


def pass_night(house: House) -> None:
    house.day += 1
    house.run(lambda: protocol.night(house))


def unchanging(house: House) -> object:
    """What lies there; of the database its texts, since SQLite counts who opened it."""
    files = house.files()
    return files["K"], files["L"], files["F"], files["S"], house.read_all()


def erase_anna(house: House) -> None:
    house.run(lambda: protocol.freeze(ANNA, days=0))
    house.run(lambda: protocol.destroy(house, Kind.PERSON, ANNA))


def lose(house: House, names: str) -> None:
    house.put(dict.fromkeys(names), names)
