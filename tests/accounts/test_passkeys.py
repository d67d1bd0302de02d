"""Passkeys without a device: where there can be any, who may begin a ceremony, and what made-up answers get."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connections
from django.test import Client

from accounts.device import HERE, Device
from cheap_hasher import CheapArgon2PasswordHasher
from mindstage.accounts.doorsteps import purge_old_doorsteps
from mindstage.accounts.models import Doorstep, Factor, Session, User
from mindstage.accounts.passkeys import LAST, find_site, list_passkeys, remove_passkey, rename_passkey
from mindstage.accounts.rate_limits import (
    PASSKEYS_OF_A_NETWORK,
    SIGN_UPS_OF_A_NETWORK,
    Limit,
    count_try,
    network_of,
)
from mindstage.accounts.recovery_codes import make_recovery_codes
from mindstage.accounts.refused import Refused
from mindstage.accounts.sessions import begin_session, keep_proof, session_key_hash
from mindstage.accounts.sign_in import sign_in
from mindstage.kit import clock
from people import make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
SIGN_UP = {"what": "sign_up", "handle": "ada", "age_band": "18_plus"}


def begin(client: Client, given: dict[str, str]) -> Any:
    return client.post("/passkey/options/", given, headers=HERE)


def end(client: Client, answer: object) -> Any:
    return client.post("/passkey/", {"credential": json.dumps(answer)}, headers=HERE)


def with_passkeys(account: User, number: int, *, host: str = "localhost") -> list[uuid.UUID]:
    """Rows that look like passkeys to the list; no device could show them."""
    rows = [Factor(account=account, kind=Factor.Kind.PASSKEY) for _ in range(number)]
    for place, row in enumerate(rows):
        content = {"name": f"Key {place}", "host": host, "added": "2026-01-01", "credential": "", "count": 0}
        row.seal(sealed=json.dumps(content)).save(force_insert=True)
    return [row.pk for row in rows]


def without_passphrase(account: User) -> User:
    account.password = make_password(None)
    account.save(update_fields=["password"])
    return account


@pytest.mark.parametrize(
    ("netloc", "secure", "host"),
    [
        ("localhost:8470", False, "localhost"),
        ("localhost", True, "localhost"),
        ("house.example", True, "house.example"),
        ("house.example:8443", True, "house.example"),
        ("house.example", False, None),
        ("127.0.0.1:8470", False, None),
        ("192.168.1.7", True, None),
        ("[::1]:8470", True, None),
        ("house", True, None),
        ("", True, None),
    ],
)
def test_where_there_are_passkeys(netloc: str, secure: bool, host: str | None) -> None:
    """A name with TLS, or localhost."""
    site = find_site(netloc, secure=secure)
    assert (site.host if site else None) == host


@pytest.mark.parametrize(
    ("origin", "right"),
    [
        ("https://house.example", True),
        ("http://house.example", False),
        ("https://house.example:444", False),
        ("https://evil.house.example", False),
        ("https://house.example.evil.example", False),
        ("https://evil.example", False),
        ("android:apk-key-hash:x", False),
        ("null", False),
        ("", False),
    ],
)
def test_only_this_very_site_is_the_origin(origin: str, right: bool) -> None:
    """Not a subdomain, another port or an app: a page elsewhere under the same name is somebody else's."""
    site = find_site("house.example", secure=True)
    assert site
    assert site.is_origin(origin) == right


def test_an_address_of_digits_gets_no_challenge() -> None:
    response = Client().post("/passkey/options/", {"what": "log_in"}, headers={"Host": "127.0.0.1:8470"})
    assert (response.status_code, "localhost" in response.json()["say"]) == (422, True)
    assert not Doorstep.objects.exists()


@pytest.mark.parametrize("what", ["", "sign", "add", "proof"])
def test_strangers_can_only_sign_up_and_log_in(what: str) -> None:
    assert begin(Client(), {"what": what}).status_code == 422
    assert not Doorstep.objects.exists()


def keep_passkey(account: User, host: str) -> None:
    """A row as a ceremony at this host leaves it."""
    content = {"name": "Telephone", "host": host, "added": "2026-03-01", "credential": "", "counter": 0}
    Factor(account=account, kind=Factor.Kind.PASSKEY).seal(sealed=json.dumps(content)).save(force_insert=True)


def test_the_list_says_since_when_as_other_pages_do() -> None:
    """A day in words; and the form below says whether there is one already."""
    account = make_person("ada")
    client = signed_in_client(account)
    keep_proof(client.cookies["session"].value)
    assert "The first one" in client.get("/account/passkeys/", headers=HERE).content.decode()
    keep_passkey(account, "localhost")
    page = client.get("/account/passkeys/", headers=HERE).content.decode()
    assert "For localhost, since 1 March 2026" in page
    assert "One more" in page


@pytest.mark.parametrize("missing", ["passkey", "passkey here", "codes", "proof", "nothing"])
def test_the_passphrase_goes_only_when_all_else_remains(missing: str) -> None:
    """A passkey for this very address, an unused recovery code, and a fresh proof."""
    account = make_person("ada")
    if missing != "passkey":
        keep_passkey(account, "elsewhere.example" if missing == "passkey here" else "localhost")
    if missing != "codes":
        make_recovery_codes(account=account)
    client, elsewhere = signed_in_client(account), begin_session(account, "phone")
    if missing != "proof":
        keep_proof(client.cookies["session"].value)
    answer = client.post("/account/passphrase/removal/", headers=HERE)
    where = answer.headers.get("Location", "")
    assert answer.status_code == (302 if missing in ("proof", "nothing") else 409)
    assert where.startswith("/session/proof/") == (missing == "proof")
    assert User.objects.get().has_usable_password() == (missing != "nothing")
    assert Session.objects.filter(pk=session_key_hash(elsewhere)).exists() == (missing != "nothing")


def test_adding_needs_a_proof_at_both_ends() -> None:
    """Also when the session ended, or the proof grew old, between the two."""
    client = signed_in_client(make_person("ada"))
    assert begin(client, {"what": "add"}).status_code == 422
    keep_proof(client.cookies["session"].value)
    with clock.moved(timedelta(minutes=5)):
        begun = begin(client, {"what": "add"})
    with clock.moved(timedelta(minutes=10, seconds=1)):  # the challenge lasts, the proof does not
        refused = end(client, Device().make(begun.json()["publicKey"]))
    assert (refused.status_code, "has ended" in refused.json()["say"]) == (422, True)
    assert not Factor.objects.exists()
    begun = begin(client, {"what": "add"})
    Session.objects.all().delete()
    assert "session has ended" in end(client, Device().make(begun.json()["publicKey"])).json()["say"]


def test_the_account_is_not_written_before_the_device_answers() -> None:
    """The challenge names a random id and the handle; until the end nothing but a doorstep is stored."""
    client = Client()
    options = begin(client, SIGN_UP).json()["publicKey"]
    assert options["user"]["name"] == "ada"
    assert options["rp"]["id"] == "localhost"
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"], options["attestation"]) == (
        "required",
        "required",
        "none",
    )
    assert not User.objects.exists()
    assert Doorstep.objects.count() == 1
    with clock.moved(timedelta(minutes=10)):
        assert purge_old_doorsteps() == 1


def test_an_answer_without_its_challenge_is_refused() -> None:
    """Wrong order, a made-up cookie, the challenge of another step."""
    client = Client()
    assert end(client, {}).status_code == 422
    client.cookies["door"] = "made-up"
    assert end(client, {}).status_code == 422
    client.post("/session/recovery/", {"handle": "x", "code": "x"})
    assert client.post("/passkey/", {"credential": "not json"}, headers=HERE).status_code == 422


def test_challenges_have_a_limit() -> None:
    """Sixty in a quarter of an hour from one network; then it waits and says how long."""
    for _ in range(60):
        assert begin(Client(), {"what": "log_in"}).status_code == 200
    response = begin(Client(), {"what": "log_in"})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("what", "limit"),
    [("log_in", PASSKEYS_OF_A_NETWORK), ("proof", PASSKEYS_OF_A_NETWORK), ("sign_up", SIGN_UPS_OF_A_NETWORK)],
)
def test_each_kind_of_challenge_counts(what: str, limit: Limit) -> None:
    """Together with the others of its kind, a sign-up with those that take a passphrase: beyond them it waits."""
    client = signed_in_client(make_person("cleo"))
    for _ in range(limit.most):
        count_try(limit, network_of("127.0.0.1"))
    assert begin(client, SIGN_UP | {"what": what}).status_code == 429
    assert not Doorstep.objects.exists()


def test_a_frozen_account_gets_no_other_passkey() -> None:
    """It sees that it is frozen, and a proof is no way around that."""
    account = make_person("ada")
    client = signed_in_client(account)
    keep_proof(client.cookies["session"].value)
    begun = begin(client, {"what": "add"}).json()["publicKey"]
    User.objects.update(state=User.State.FROZEN)
    assert end(client, Device().make(begun)).status_code == 422
    assert begin(client, {"what": "add"}).status_code == 422
    assert not Factor.objects.exists()


def test_a_wrong_passphrase_costs_the_same_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One run of the slow hash for an account with a passphrase, with a passkey alone, and for nobody."""
    make_person("ada")
    without_passphrase(make_person("ben"))
    runs: list[str] = []
    for name in ("encode", "verify"):
        real = getattr(CheapArgon2PasswordHasher, name)

        def counted(self: object, *args: object, real: Any = real) -> object:
            runs.append("run")
            return real(self, *args)

        monkeypatch.setattr(CheapArgon2PasswordHasher, name, counted)
    for handle in ("ada", "ben", "nobody"):
        runs.clear()
        assert sign_in(handle=handle, passphrase="not the right one") is None
        assert len(runs) == 1, handle


def test_a_passphrase_is_added_behind_a_proof() -> None:
    """Without one there is nothing to give first, so another proof is asked for."""
    account = without_passphrase(make_person("ada"))
    client = signed_in_client(account)
    new = {"new": "other words of velvet"}
    assert client.post("/account/passphrase/", new).headers["Location"].startswith("/session/proof/")
    keep_proof(client.cookies["session"].value)
    assert client.post("/account/passphrase/", new).headers["Location"] == "/account/?changed"
    assert sign_in(handle="ada", passphrase="other words of velvet") == account


def test_somebody_elses_passkey_is_not_there() -> None:
    (theirs,) = with_passkeys(make_person("ada"), 1)
    client = signed_in_client(make_person("cleo"))
    keep_proof(client.cookies["session"].value)
    for path in (f"/account/passkeys/{theirs}/", f"/account/passkeys/{theirs}/removal/"):
        assert client.post(path, {"name": "Mine"}).status_code == 404
    assert Factor.objects.count() == 1


def test_names_are_tidied() -> None:
    account = make_person("ada")
    (ident,) = with_passkeys(account, 1)
    for typed, kept in [("  My\n\tphone\x00 ", "My phone"), ("", "Passkey"), ("x" * 200, "x" * 60)]:
        rename_passkey(account=account, ident=ident, name=typed)
        assert list_passkeys(account.pk)[0].name == kept


def test_a_removal_ends_every_other_session() -> None:
    account = make_person("ada")
    (ident,) = with_passkeys(account, 1)
    here, there = signed_in_client(account), signed_in_client(account)
    keep_proof(here.cookies["session"].value)
    assert here.post(f"/account/passkeys/{ident}/removal/").status_code == 302
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302


def test_a_passkey_of_another_site_is_no_way_in_here() -> None:
    """Without a passphrase the last one for this very host stays, however many others there are; those may go."""
    account = without_passphrase(make_person("ada"))
    here, *_ = with_passkeys(account, 1)
    elsewhere = with_passkeys(account, 2, host="stage.example.org")
    client = signed_in_client(account)
    keep_proof(client.cookies["session"].value)
    refused = client.post(f"/account/passkeys/{here}/removal/", headers=HERE)
    assert (refused.status_code, LAST in refused.content.decode()) == (409, True)
    assert client.post(f"/account/passkeys/{elsewhere[0]}/removal/", headers=HERE).status_code == 302
    by_number = client.post(f"/account/passkeys/{here}/removal/", headers={"Host": "127.0.0.1:8470"})
    assert by_number.status_code == 409
    with_passkeys(account, 1)
    assert client.post(f"/account/passkeys/{here}/removal/", headers=HERE).status_code == 302
    assert sorted(one.host for one in list_passkeys(account.pk)) == ["localhost", "stage.example.org"]


@pytest.mark.django_db(databases=["default", "keystore"], transaction=True)
def test_two_removals_at_once_leave_one_way_in() -> None:
    """Two passkeys, no passphrase, both removed at the same moment: one stays."""
    account = without_passphrase(make_person("ada"))
    gate, refused = threading.Barrier(2, timeout=20), []

    def run(ident: uuid.UUID) -> None:
        gate.wait()
        try:
            remove_passkey(account=account, ident=ident, site=find_site("localhost", secure=False))
        except Refused as refusal:
            refused.append(refusal.sentence)
        connections.close_all()

    threads = [threading.Thread(target=run, args=[ident]) for ident in with_passkeys(account, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert refused == [LAST]
    assert Factor.objects.count() == 1
