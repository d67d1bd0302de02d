"""Every page is shut to strangers, and to others for what belongs to somebody."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from doors.addresses import OBJECTS, OPEN, SHUT, patterns
from doors.house import House, address, ask, everything, fields, is_shut
from mindstage.accounts.models import Session
from mindstage.kit import clock
from mindstage.library.models import Character, Material
from mindstage.stories.models import Story, Turn
from people import signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)


def test_a_stranger_is_shut_out(house: House) -> None:
    """Without a session every page but the open ones refuses or leads to the door, and nothing changes."""
    before = everything()
    for name, route in patterns():
        for method in ("GET", "POST"):
            for headers in ({}, {"Sec-Fetch-Dest": "empty", "X-Partial": "1"}):
                path = address(house, name, route)
                answer = ask(Client(), method, path, fields(house), **headers)
                assert name in OPEN or is_shut(answer), (method, name, answer.status_code)
                assert answer.status_code < 500, (method, name)
    assert everything() == before


def test_a_made_up_cookie_opens_nothing(house: House) -> None:
    """Neither does a session's identifier, nor the hash that stands in the database."""
    row = Session.objects.get(account=house.ada)
    for value in ("x", row.ident.hex, bytes(row.key_hash).hex(), "é" * 40):
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = value
        for name, route in patterns():
            if name not in OPEN:
                assert is_shut(ask(client, "GET", address(house, name, route), {})), name


def test_somebody_else_finds_nothing(house: House) -> None:
    """Cleo, signed in, gets 404 or 403 for each thing of Ada's, by every method, and nothing changes."""
    client = signed_in_client(house.cleo)
    before = everything()
    for name, route in patterns():
        if name not in OBJECTS:
            continue
        for method in ("GET", "POST"):
            for headers in ({}, {"X-Partial": "1"}):
                answer = ask(client, method, address(house, name, route), fields(house), **headers)
                assert answer.status_code in SHUT, (method, name, answer.status_code)
    assert everything() == before


def test_somebody_elses_things_inside_ones_own(house: House) -> None:
    """Ada's turn, branch, version or character under an address of Cleo's own story is nothing either."""
    client = signed_in_client(house.cleo)
    before = everything()
    mine = Turn.objects.get(story=house.cleos_story)
    for name, route in patterns():
        if "<uuid:turn>" in route or "<uuid:segment>" in route:
            path = address(house, name, route).replace(str(house.story.pk), str(house.cleos_story.pk))
            for method in ("GET", "POST"):
                answer = ask(client, method, path, fields(house))
                assert answer.status_code in SHUT | {400}, (method, name, answer.status_code)
    choice = f"/stories/{house.cleos_story.pk}/turns/{mine.pk}/choice/"
    assert client.post(choice, fields(house)).status_code in SHUT | {400}
    assert client.post("/stories/", fields(house)).status_code == 404
    assert everything() == before


def test_only_the_owner_installs(house: House) -> None:
    """An instance with an owner takes no model from anybody else."""
    assert signed_in_client(house.cleo).post("/models/story-1.5b/installation/").status_code == 403


def test_the_owner_of_a_thing_gets_it(house: House) -> None:
    """The control: the same addresses answer Ada, so that the refusals above are about who asks."""
    client = signed_in_client(house.ada)
    for name, route in patterns():
        if name in OBJECTS - {"portrait"}:
            Story.objects.update(trashed_on=None)
            Material.objects.update(trashed_on=None)
            Character.objects.exclude(pk=house.names["item"]).update(trashed_on=None)
            Character.objects.filter(pk=house.names["item"]).update(trashed_on=clock.today())
            answers = [ask(client, method, address(house, name, route), fields(house)) for method in ("GET", "POST")]
            assert any(answer.status_code not in SHUT for answer in answers), name
            assert not any(answer.headers.get("Location", "").startswith("/session/new/") for answer in answers)


def test_no_form_is_taken_without_its_token(house: House) -> None:
    """A POST to any page, by Ada herself, without the form's token: 403, and nothing changes."""
    client = signed_in_client(house.ada, enforce_csrf_checks=True)
    before = everything()
    for name, route in patterns():
        status = ask(client, "POST", address(house, name, route), fields(house)).status_code
        assert status == 403 or (status in (404, 405) and name in {"asset", "owner"}), (name, status)
    assert everything() == before


def test_every_page_carries_the_policy(house: House) -> None:
    """Whoever asks, however: a page may run the scripts of its nonce and make no string an element. One that is also
    kept as a file, without us, names its script by its hash instead."""
    kept = Client().get(reverse("receipt_offline"))
    assert "require-trusted-types-for 'script'" in kept.headers["Content-Security-Policy"]
    for client in (Client(), signed_in_client(house.ada)):
        for name, route in patterns():
            for method in ("GET", "POST"):
                if name != "receipt_offline":
                    carries_the_policy(ask(client, method, address(house, name, route), fields(house)))
    for answer in (Client().get("/no/such/page/"), Client().get("/", headers={"host": "elsewhere.example"})):
        assert answer.status_code in (400, 404)
        carries_the_policy(answer)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Frame-Options"] == "DENY"


def carries_the_policy(answer: HttpResponse) -> None:
    sent = answer.headers.get("Content-Security-Policy", "")
    if not answer.headers["Content-Type"].startswith("text/html"):
        return
    where = answer.request["PATH_INFO"]  # type: ignore[attr-defined]
    assert "require-trusted-types-for 'script'" in sent, where
    nonce = re.search(r"'nonce-([^']+)'", sent)
    for script in re.findall(r"<script[^>]*>", answer.content.decode()):
        assert nonce, where
        assert f'nonce="{nonce[1]}"' in script, where
