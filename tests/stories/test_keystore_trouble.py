"""A keystore that is locked or gone while the program runs: said in a sentence, nothing half written, nothing lost."""

from __future__ import annotations

import io
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.test import Client

from fakes.provider import Finish, Words, words
from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.models import Character
from mindstage.rights.erasure import request_erasure
from mindstage.stories.models import Story, Turn
from mindstage.vault.keys import forget_keys
from people import PASSPHRASE, signed_in_client
from stories.house import House
from stories.scenes import Player, last_reply, make_story, text_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])

SENTENCES = re.compile("nothing is lost|could not save|could not be saved|cannot be reached|Nothing was")
type Trouble = Callable[[House], contextmanager[None]]  # type: ignore[valid-type]


def everywhere(house: House, deed: Callable[[], None]) -> None:
    """On this thread's connection to the keystore, and on that of the house's database thread."""
    deed()
    house.database.submit(deed).result(5)


@contextmanager
def locked(house: House) -> Iterator[None]:
    """Another program holds the keystore's file for longer than anybody waits."""

    def hurry() -> None:
        with connections["keystore"].cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")

    everywhere(house, hurry)
    with closing(sqlite3.connect(str(connections["keystore"].settings_dict["NAME"]), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def gone(house: House) -> Iterator[None]:
    """Its server or its disk does not answer."""

    def refuse(*_: Any) -> None:
        raise OperationalError("gone")

    everywhere(house, lambda: connections["keystore"].execute_wrappers.append(refuse))
    yield
    everywhere(house, lambda: connections["keystore"].execute_wrappers.clear())


@pytest.mark.parametrize("trouble", [pytest.param(locked, marks=pytest.mark.sqlite), gone])
def test_without_the_keystore_nothing_opens_and_nothing_is_lost(trouble: Trouble, house: House, player: Player) -> None:
    """Pages, a turn, a sign-up, a card, an erasure: each is refused in a sentence, and all is as before after it."""
    story = make_story(player.account, turns=3)
    client, stranger = signed_in_client(player.account), Client()
    client.raise_request_exception = stranger.raise_request_exception = False
    account = {"handle": "ben", "passphrase": PASSPHRASE, "age_band": "18_plus"}
    with trouble(house):
        forget_keys()
        for path in (f"/stories/{story.pk}/", "/stories/", "/your-data/"):
            refused = client.get(path)
            assert refused.status_code == 503, path
            assert SENTENCES.search(refused.content.decode()), path
        assert house.take(player, story).to_end().status == 503
        assert stranger.post("/account/new/", account).status_code == 503
        assert client.post("/characters/", {"card": io.BytesIO(make.to_json(make.v2()))}).status_code == 503
        with pytest.raises(OperationalError):
            request_erasure(player.account.pk)
    assert (User.objects.count(), Story.objects.count(), Turn.objects.count()) == (1, 1, 3)
    assert User.objects.get().is_active
    assert not Character.objects.exists()
    assert client.get(f"/stories/{story.pk}/").status_code == 200
    house.script(Words(5), Finish())
    assert house.take(player, story).done["state"] == "finished"
    assert text_of(last_reply(story)) == words(5)
