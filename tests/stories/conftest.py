"""What the tests of stories share: people, and a house in which a story is played."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mindstage.accounts.models import User
from people import make_person
from stories.house import KEY, House
from stories.scenes import Player, make_player


@pytest.fixture
def ada(vault: None) -> User:
    """She owns the story."""
    return make_person("ada")


@pytest.fixture
def player(ada: User) -> Player:
    """Ada in her browser."""
    return make_player(ada)


@pytest.fixture
def house(transactional_db: None, vault: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A running stream plane. Its database thread has a connection of its own, closed before the data is flushed."""
    monkeypatch.setenv("FAKE_KEY", KEY)
    with House(settings) as opened:
        yield opened
