"""Somebody asks for the end of their account while a narrator is writing to them, and it comes: to the receipt."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from fakes.provider import Finish, Hold, Words, words
from mindstage.accounts import freezing
from mindstage.accounts.models import User
from mindstage.accounts.sessions import keep_proof
from mindstage.datamap.holdings import holdings
from mindstage.ledger.receipts import check_receipt
from mindstage.rights.erasure import find_request, run_due
from mindstage.rights.receipts import fetch_receipt, receipt_key
from mindstage.stories import generation
from mindstage.stories.models import Story, Turn
from mindstage.vault.models import UserKey
from people import make_person
from rights.erasures import pass_nights
from stories.house import House, eventually
from stories.scenes import Player, last_reply, make_player, make_story, text_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])


def ask_for_the_end(player: Player) -> str:
    """By the page, in the browser that reads the reply; the claim code that it shows."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = player.cookie
    keep_proof(player.cookie)
    page = client.post("/your-data/erasures/", {"handle": "ada"})
    assert page.status_code == 200
    code: str = page.context["asked"].claim_code
    return code


def test_an_erasure_ends_a_running_reply_and_goes_on_to_its_receipt(house: House, player: Player) -> None:
    """The stream ends, what came is kept for the seven days, not a word that comes later; then nothing is left."""
    story = make_story(player.account)
    person = player.account.pk
    bens = make_story(make_person("ben"), turns=2)
    house.script(Words(4), Hold(), Words(4), Finish())
    reading = house.take(player, story).until_deltas(1)
    code = ask_for_the_end(player)
    reading.to_end()
    eventually(lambda: last_reply(story).state == "interrupted")
    assert text_of(last_reply(story)) == words(4)
    assert house.resume(player, reading.run).to_end().status == 401
    assert house.take(player, story).to_end().status == 401
    house.provider.release()
    pass_nights(8)
    run_due()
    house.database.submit(lambda: None).result(5)  # whatever was still to be stored of the reply has had its turn
    assert check_receipt(fetch_receipt(code), key=receipt_key())
    request = find_request(code)
    assert request is not None
    assert (request.state, request.findings) == ("done", 0)
    assert [finding for holding in holdings() for finding in holding.remains(person)] == []
    assert not UserKey.objects.using("keystore").filter(pk=person).exists()
    assert set(User.objects.values_list("pk", flat=True)) == {bens.owner_id}
    assert set(Story.objects.values_list("pk", flat=True)) == {bens.pk}
    assert Turn.objects.count() == 2


def test_a_reply_that_another_process_writes_ends_before_the_keys_do(
    house: House, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody rings for it there: it learns by itself that its account is frozen, long before the seventh night."""
    monkeypatch.setattr(generation, "COUNT_SECONDS", 0.0)
    monkeypatch.setattr(freezing, "stop_all", lambda _: None)
    story = make_story(player.account)
    house.script(Words(4), Hold(), Words(4), Finish())
    house.take(player, story).until_deltas(1)
    code = ask_for_the_end(player)
    eventually(lambda: last_reply(story).state == "interrupted")
    pass_nights(8)
    run_due()
    house.database.submit(lambda: None).result(5)
    assert fetch_receipt(code)
    assert not Turn.objects.exists()


def test_two_people_at_once_one_of_whom_goes(house: House, player: Player) -> None:
    """Ben's reply, which runs beside Ada's, is written to its end."""
    ben = make_player(make_person("ben"))
    story = make_story(ben.account)
    house.script(Words(4), Hold(), Words(4), Finish())
    reading = house.take(ben, story).until_deltas(1)
    ask_for_the_end(player)
    pass_nights(8)
    house.provider.release()
    assert reading.done["state"] == "finished"
    assert text_of(last_reply(story)) == words(8)
