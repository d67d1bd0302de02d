"""What devices and made-up devices answer: how much of it is taken, and whose passkey it is."""

from __future__ import annotations

import json
import logging
import tracemalloc
from typing import Any

import pytest
from django.test import Client
from fido2.utils import websafe_encode

from accounts.device import HERE, Device
from mindstage.accounts.models import Doorstep, Factor, Session, User
from mindstage.accounts.notices import list_notices
from mindstage.accounts.sessions import keep_proof, proof_of
from people import make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
SIGN_UP = {"what": "sign_up", "handle": "ada", "age_band": "18_plus"}
UNREAD = {"clientDataJSON": "AA", "attestationObject": "AA"}
FORGED = {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "userHandle": "AA"}


def begin(client: Client, given: dict[str, str]) -> Any:
    return client.post("/passkey/options/", given, headers=HERE)


def end(client: Client, answer: object) -> Any:
    return client.post("/passkey/", {"credential": json.dumps(answer)}, headers=HERE)


def credential(response: object, **more: object) -> dict[str, object]:
    return {"id": "AA", "rawId": "AA", "type": "public-key", "response": response, **more}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "x",
        7,
        {},
        credential({}),
        credential(None),
        credential([]),
        credential(UNREAD),
        credential(FORGED),
        {"response": {"userHandle": 7}},
        *[credential(FORGED | {"userHandle": whose}) for whose in ("é" * 40, "A" * 1_000_000, "", [], {}, 1.5, True)],
        *[
            credential(FORGED | {part: number}, **more)
            for number in (7, 10**9, 10**30)
            for part, more in [*[(one, {}) for one in FORGED], ("userHandle", {"id": number, "rawId": number})]
        ],
        *[credential(UNREAD | {part: number}) for number in (10**9, 10**30) for part in UNREAD],
    ],
)
def test_a_made_up_answer_is_refused_and_uses_the_challenge_up(answer: object) -> None:
    """In a sentence, in little memory: a number is never taken for a length."""
    for given in (SIGN_UP, {"what": "log_in"}):
        client = Client()
        assert begin(client, given).status_code == 200
        tracemalloc.start()
        assert end(client, answer).status_code == 422
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
        tracemalloc.stop()
        assert "done before" in end(client, answer).json()["say"]
    assert not User.objects.exists()
    assert not Doorstep.objects.exists()


@pytest.mark.parametrize("text", ["[" * 100_000, "not json", "", "9" * 5_000])
def test_an_answer_that_is_no_json_is_refused(text: str) -> None:
    """Also what is nested without end, or a number without end."""
    client = Client()
    assert begin(client, {"what": "log_in"}).status_code == 200
    assert client.post("/passkey/", {"credential": text}, headers=HERE).status_code == 422


def signed_up(device: Device, handle: str = "ada") -> Client:
    client = Client()
    assert device.walk(client, "sign_up", handle=handle, age_band="18_plus").status_code == 200
    return client


@pytest.mark.parametrize("names_its_owner", [True, False])
def test_a_proof_needs_no_name_of_its_owner(names_its_owner: bool) -> None:
    """Who is signed in is known, and the browser was told among which passkeys to choose: WebAuthn lets it say null."""
    client = signed_up(device := Device(names_its_owner=names_its_owner))
    answer = device.walk(client, "proof", next="/account/codes/")
    assert (answer.status_code, answer.json()) == (200, {"next": "/account/codes/"})
    assert proof_of(client.cookies["session"].value)


def test_a_log_in_needs_the_name_of_the_owner() -> None:
    """Nobody is signed in, and nobody was asked for: an answer that says nobody is nobody's."""
    device = Device()
    signed_up(device)
    assert device.walk(Client(), "log_in").status_code == 200
    device.names_its_owner = False
    assert device.walk(client := Client(), "log_in").status_code == 422
    assert "session" not in client.cookies


def test_a_proof_that_names_somebody_else_is_none() -> None:
    """Another's passkey under their name, under none, and one's own passkey under another's name."""
    ada, ben = Device(), Device()
    client = signed_up(ada)
    signed_up(ben, "ben")
    adas, bens = ada.owner, ben.owner
    for device, owner in [(ben, bens), (ben, adas), (ben, None), (ada, bens)]:
        device.names_its_owner, device.owner = owner is not None, owner or b""
        assert device.walk(client, "proof").status_code == 422
    assert proof_of(client.cookies["session"].value) is None
    assert Session.objects.count() == 2


def test_a_device_that_asks_nobody_who_they_are_opens_nothing() -> None:
    """A key that was found and touched is none at a sign-up, a log-in or a proof: no code is asked for after it."""
    found = Device()
    found.asks_who = False
    assert found.walk(Client(), "sign_up", handle="ben", age_band="18_plus").status_code == 422
    client = signed_up(device := Device())
    device.asks_who = False
    for browser, what in ((client, "proof"), (Client(), "log_in")):
        assert device.walk(browser, what).status_code == 422, what
    assert proof_of(client.cookies["session"].value) is None
    assert (User.objects.count(), Session.objects.count()) == (1, 1)
    device.asks_who = True
    assert device.walk(Client(), "log_in").status_code == 200


@pytest.mark.parametrize(("said", "taken"), [([1, 2, 3], 3), ([5, 5], 1), ([5, 4], 1), ([5, 0], 1), ([0, 0], 2)])
def test_a_counter_goes_up_or_was_never_there(said: list[int], taken: int) -> None:
    """The same number again, a lower one, none after some: a copy. One that always says 0 is copied by its owner."""
    device = Device()
    client = signed_up(device)
    device.counts, answers = False, []
    for number, what in zip(said, ["log_in", "proof", "log_in"], strict=False):
        device.count = number
        answers.append(device.walk(client if what == "proof" else Client(), what).status_code)
    assert answers == [200] * taken + [422] * (len(said) - taken)


def test_somebody_elses_device_adds_nothing_to_an_account() -> None:
    """A challenge for adding that was begun in Ada's session is worth nothing in Ben's."""
    ada, ben = signed_in_client(make_person("ada")), signed_in_client(make_person("ben"))
    for client in (ada, ben):
        keep_proof(client.cookies["session"].value)
    begun = begin(ada, {"what": "add", "name": "Telephone"}).json()["publicKey"]
    ben.cookies["door"] = ada.cookies["door"].value
    assert end(ben, Device().make(begun)).status_code == 422


def test_no_log_tells_of_a_device(caplog: pytest.LogCaptureFixture) -> None:
    """The library would write the identifier of each that it sees, at a level that servers often keep."""
    caplog.set_level(logging.INFO)
    signed_up(device := Device())
    assert device.walk(Client(), "log_in").status_code == 200
    assert device.id.hex() not in caplog.text.lower()
    assert "redential" not in caplog.text


def test_somebody_elses_challenge_proves_nothing() -> None:
    """Ben's own passkey, shown to a challenge that was made for Ada's session."""
    ada, ben = signed_up(Device()), signed_up(device := Device(), "ben")
    begun = begin(ada, {"what": "proof"}).json()["publicKey"]
    ben.cookies["door"] = ada.cookies["door"].value
    assert end(ben, device.show(begun)).status_code == 422
    assert proof_of(ben.cookies["session"].value) is None


def test_a_proof_is_asked_of_this_accounts_passkeys_alone() -> None:
    """The browser is told which; at a log-in of none, so that nobody learns from a handle what somebody has."""
    client = signed_up(device := Device())
    signed_up(Device(), "ben")
    asked = begin(client, {"what": "proof"}).json()["publicKey"]
    assert [one["id"] for one in asked["allowCredentials"]] == [websafe_encode(device.id)]
    assert not begin(Client(), {"what": "log_in"}).json()["publicKey"].get("allowCredentials")


def test_a_device_is_added_once() -> None:
    """A browser that passes over what it was told of the passkeys there are: the second is refused in a sentence."""
    account, device = make_person("ada"), Device()
    client = signed_in_client(account)
    keep_proof(client.cookies["session"].value)
    assert device.walk(client, "add").status_code == 200
    assert "in your account already" in device.walk(client, "add").json()["say"]
    assert Factor.objects.filter(account=account, kind="passkey").count() == 1
    options = begin(client, {"what": "add"}).json()["publicKey"]
    assert [one["id"] for one in options["excludeCredentials"]] == [websafe_encode(device.id)]
    assert [notice.text for notice in list_notices(account.pk)] == ["A passkey was added."]


@pytest.mark.parametrize(("state", "opens"), [("frozen", True), ("destroying", False)])
def test_a_passkey_opens_no_account_that_is_being_erased(state: str, opens: bool) -> None:
    """It is as if there were none; a frozen one it opens, so that the freeze can be called off."""
    signed_up(device := Device())
    User.objects.update(state=state)
    answer = device.walk(client := Client(), "log_in")
    assert (answer.status_code == 200, "session" in client.cookies) == (opens, opens)
