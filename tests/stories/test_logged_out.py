"""A log-out ends what is being delivered, at once and everywhere it was meant to; the reply itself goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from fakes.provider import Finish, Hold, Words, words
from mindstage.accounts.freezing import freeze_account
from mindstage.accounts.models import Session, User
from mindstage.accounts.sessions import session_key_hash
from mindstage.stories import generation
from stories.house import House, eventually
from stories.scenes import Player, last_reply, make_player, make_story, text_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])


def browser_of(player: Player) -> Client:
    client = Client()
    client.cookies["session"] = player.cookie
    return client


def log_out(player: Player) -> None:
    assert browser_of(player).post("/session/end/").status_code == 302


def log_out_everywhere(player: Player) -> None:
    """From another browser."""
    other = make_player(player.account)
    assert browser_of(other).post("/session/end/", {"everywhere": "1"}).status_code == 302


def end_the_others(player: Player) -> None:
    assert browser_of(make_player(player.account)).post("/account/sessions/end/").status_code == 302


@pytest.mark.parametrize("leave", [log_out, log_out_everywhere, end_the_others])
def test_a_stream_ends_with_its_session(house: House, player: Player, leave: Callable[[Player], None]) -> None:
    """Not a word more is delivered there; the reply is written to its end, for whoever logs in again."""
    story = make_story(player.account)
    house.script(Words(4), Hold(), Words(4), Finish())
    reading = house.take(player, story).until_deltas(1)
    eventually(lambda: reading.text == words(4))
    leave(player)
    reading.to_end()
    assert reading.frames[-1].event == "delta"
    assert house.resume(player, reading.run).to_end().status == 401
    house.provider.release()
    eventually(lambda: last_reply(story).state == "finished")
    assert text_of(last_reply(story)) == words(8)
    assert reading.text == words(4)


def test_the_streams_of_others_go_on(house: House, player: Player) -> None:
    """Another browser of hers, and another person."""
    house.script(Words(4), Hold(), Words(4), Finish())
    reading = house.take(player, make_story(player.account)).until_deltas(1)
    gone = make_player(player.account)
    resumed = house.resume(gone, reading.run)
    resumed.begun()
    log_out(gone)
    resumed.to_end()
    house.provider.release()
    assert reading.done["state"] == "finished"


def test_a_session_that_another_process_ended_is_noticed(
    house: House, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody rings here: the round that stores what came looks again every few seconds."""
    monkeypatch.setattr(generation, "COUNT_SECONDS", 0.0)
    house.script(Words(4), Hold(), Finish())
    reading = house.take(player, make_story(player.account)).until_deltas(1)
    Session.objects.filter(pk=session_key_hash(player.cookie)).delete()
    reading.to_end()
    assert reading.frames[-1].event == "delta"
    house.provider.release()


def test_a_freeze_ends_the_reply_itself(house: House, ada: User, player: Player) -> None:
    """Nothing more is asked of the narrator: what it wrote until then is kept as interrupted."""
    story = make_story(ada)
    house.script(Words(4), Hold(), Words(4), Finish())
    reading = house.take(player, story).until_deltas(1)
    freeze_account(ada.pk)
    reading.to_end()
    eventually(lambda: last_reply(story).state == "interrupted")
    assert text_of(last_reply(story)) == words(4)


def test_a_freeze_of_another_process_ends_the_reply_too(
    house: House, ada: User, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or one that came in the moment between a turn that is stored and its reply that begins."""
    monkeypatch.setattr(generation, "COUNT_SECONDS", 0.0)
    story = make_story(ada)
    house.script(Words(4), Hold(), Words(4), Finish())
    house.take(player, story).until_deltas(1)
    User.objects.filter(pk=ada.pk).update(state=User.State.FROZEN)
    eventually(lambda: last_reply(story).state == "interrupted")
