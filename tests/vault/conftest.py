"""A house for tests of the vault's protocol: real files on a fast disk, made once, copied for each test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vault.protocol import FAST, House, Power, build_template, harness, move_in


@pytest.fixture(scope="session")
def house_template(django_db_blocker: Any) -> Iterator[Path]:
    """Tables and a founded instance."""
    folder = Path(tempfile.mkdtemp(prefix="mindstage-protocol-", dir=FAST))
    with django_db_blocker.unblock():
        yield build_template(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def house(house_template: Path, django_db_blocker: Any) -> Iterator[House]:
    """A founded, empty instance that is open."""
    power, place = Power(), Path(tempfile.mkdtemp(prefix="mindstage-house-", dir=FAST))
    with django_db_blocker.unblock(), harness(house_template, power):
        shutil.copytree(house_template / "house", place / "house")
        house = House(place / "house", power)
        move_in(house)
        assert house.start() == "open"
        yield house
        house.unplug()
    shutil.rmtree(place, ignore_errors=True)
