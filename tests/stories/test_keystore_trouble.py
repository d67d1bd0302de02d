"""A keystore that is locked or gone while the program runs: said in a sentence, nothing half written, nothing lost."""

from __future__ import annotations

import io
import re

import pytest
from django.test import Client

from fakes.provider import Finish, Words, words
from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.models import Character
from mindstage.stories.models import Story, Turn
from mindstage.vault.keys import forget_keys
from people import PASSPHRASE, signed_in_client
from stories.house import House
from stories.scenes import Player, last_reply, make_story, text_of
from troubles import Trouble, gone, locked

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])

SENTENCES = re.compile("nothing is lost|could not save|could not be saved|cannot be reached|Nothing was")


@pytest.mark.parametrize("trouble", [pytest.param(locked, marks=pytest.mark.sqlite), gone])
def test_without_the_keystore_nothing_opens_and_nothing_is_lost(trouble: Trouble, house: House, player: Player) -> None:
    """Pages, a turn, a sign-up, a card: each is refused in a sentence, and all is as before after it."""
    story = make_story(player.account, turns=3)
    client, stranger = signed_in_client(player.account), Client()
    client.raise_request_exception = stranger.raise_request_exception = False
    account = {"handle": "ben", "passphrase": PASSPHRASE, "age_band": "18_plus"}
    with trouble(lambda deed: house.database.submit(deed).result(5)):
        forget_keys()
        for path in (f"/stories/{story.pk}/", "/stories/", "/your-data/"):
            refused = client.get(path)
            assert refused.status_code == 503, path
            assert SENTENCES.search(refused.content.decode()), path
        assert house.take(player, story).to_end().status == 503
        assert stranger.post("/account/new/", account).status_code == 503
        assert client.post("/characters/", {"card": io.BytesIO(make.to_json(make.v2()))}).status_code == 503
    assert (User.objects.count(), Story.objects.count(), Turn.objects.count()) == (1, 1, 3)
    assert User.objects.get().is_active
    assert not Character.objects.exists()
    assert client.get(f"/stories/{story.pk}/").status_code == 200
    house.script(Words(5), Finish())
    assert house.take(player, story).done["state"] == "finished"
    assert text_of(last_reply(story)) == words(5)
