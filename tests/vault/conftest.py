"""A house for tests of the vault's protocol: real files on a fast disk, or databases on a server (TEST_POSTGRES).

It is made once, and copied for each test.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from settings_for_tests import SERVER
from vault import protocol
from vault.household import ANNA, BERT, ITEM, OTHER, SECOND, TURN, pass_night
from vault.protocol import FAST, House, Power, build_template, harness


@pytest.fixture(scope="session")
def house_template(django_db_blocker: Any) -> Iterator[Any]:
    """Tables and a founded instance."""
    folder = Path(tempfile.mkdtemp(prefix="mindstage-protocol-", dir=FAST))
    with django_db_blocker.unblock():
        if SERVER:
            from vault.on_server import server_template

            with server_template(SERVER, folder) as template:
                yield template
        else:
            yield build_template(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def house(house_template: Any, django_db_blocker: Any) -> Iterator[House]:
    """A founded, empty instance that is open."""
    power, place = Power(), Path(tempfile.mkdtemp(prefix="mindstage-house-", dir=FAST))
    with django_db_blocker.unblock(), harness(house_template, power), house_template.quick_dumps():
        house = house_template.new_house(place, power)
        assert house.start() == "open"
        yield house
        house.unplug()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def lived_in(house: House) -> House:
    """Two people with an item each, and one night."""
    house.run(lambda: protocol.sign_up(ANNA, "anna", "anna"))
    house.run(lambda: protocol.write(ANNA, ITEM, TURN, "turn"))
    house.run(lambda: protocol.sign_up(BERT, "bert", "bert"))
    house.run(lambda: protocol.write(BERT, OTHER, SECOND, "second"))
    pass_night(house)
    return house
