"""Another handle: proven, reserved, sealed, and nothing else changes."""

from __future__ import annotations

import pytest
from django.test import Client

from mindstage.accounts.handles import handle_tag
from mindstage.accounts.models import User
from mindstage.accounts.notices import list_notices
from mindstage.accounts.rate_limits import SIGN_UPS_OF_A_NETWORK
from mindstage.accounts.refused import Refused
from mindstage.accounts.renaming import change_handle
from mindstage.accounts.sessions import begin_session, find_session, keep_proof
from mindstage.vault.clocks import turn_night
from mindstage.vault.ending import is_reserved, reserve_handle
from mindstage.vault.models import ReservedHandle
from mindstage.vault.purposes import Purpose
from people import PASSPHRASE, make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]


def proven_client(account: User) -> Client:
    client = signed_in_client(account)
    keep_proof(client.cookies["session"].value)
    return client


def logs_in(handle: str) -> bool:
    return Client().post("/session/new/", {"handle": handle, "passphrase": PASSPHRASE}).status_code == 302


def handle_of(account: User) -> str:
    return User.objects.get(pk=account.pk).open("handle", Purpose.SHOW)


def test_the_new_handle_logs_in_and_the_old_one_does_not() -> None:
    """A notice tells of it; a session elsewhere goes on under the new handle."""
    account = make_person("ada")
    elsewhere = begin_session(account, "phone")
    client = proven_client(account)
    response = client.post("/account/handle/", {"handle": "Ada Lovelace"})
    assert (response.status_code, response.headers["Location"]) == (302, "/account/?renamed")
    page = client.get("/account/?renamed").content.decode()
    assert "<dd>Ada Lovelace" in page
    assert "log in with the new one" in page
    assert logs_in("ada lovelace")
    assert not logs_in("ada")
    visitor = find_session(elsewhere)
    assert visitor
    assert visitor.open_handle() == "Ada Lovelace"
    assert any("handle was changed" in notice.text for notice in list_notices(account.pk))


def test_it_asks_who_is_there() -> None:
    """A stranger is led to the door, somebody signed in to the proof; nothing changes before."""
    assert Client().get("/account/handle/").headers["Location"].startswith("/session/new/")
    account = make_person("ada")
    client = signed_in_client(account)
    assert client.get("/account/handle/").headers["Location"].startswith("/session/proof/?next=")
    assert client.post("/account/handle/", {"handle": "eve"}).status_code == 302
    assert handle_of(account) == "ada"


def test_nobody_takes_the_old_one_for_thirty_days() -> None:
    """Neither by a sign-up nor by a change, and not they themselves; then it is free."""
    ada, ben = make_person("ada"), make_person("ben")
    change_handle(account=ada, handle="byron")
    for _ in range(30):
        with pytest.raises(Refused):
            make_person("ADA")
        for account in (ben, User.objects.get(pk=ada.pk)):
            with pytest.raises(Refused):
                change_handle(account=account, handle="ada")
        turn_night()
    change_handle(account=ben, handle="ada")
    assert handle_of(ben) == "ada"


def test_another_spelling_reserves_nothing() -> None:
    account = make_person("ada")
    change_handle(account=account, handle="ADA")
    assert handle_of(account) == "ADA"
    assert not ReservedHandle.objects.using("keystore").exists()


@pytest.mark.parametrize("handle", ["ben", "BEN", "kept", "", "x", "a" * 25, "<b>", "аda"])
def test_what_cannot_be_had_changes_nothing(handle: str) -> None:
    """Taken, kept back, malformed, or the face of another: said beside the field."""
    account = make_person("ada")
    make_person("ben")
    reserve_handle(handle_tag("kept"))
    response = proven_client(account).post("/account/handle/", {"handle": handle})
    assert response.status_code == 422
    assert handle_of(account) == "ada"
    assert not is_reserved(handle_tag("ada"))


def test_of_two_changes_at_once_one_counts() -> None:
    """The slower one read a row that is no longer so: it must not leave the faster one's handle unreserved."""
    first, second = make_person("ada"), User.objects.get()
    change_handle(account=first, handle="byron")
    with pytest.raises(Refused):
        change_handle(account=second, handle="carol")
    assert handle_of(first) == "byron"


def test_one_who_is_leaving_changes_nothing() -> None:
    """Neither a frozen account nor one whose keys are being destroyed."""
    account = make_person("ada")
    for state in (User.State.FROZEN, "destroying"):
        User.objects.filter(pk=account.pk).update(state=state)
        with pytest.raises(Refused):
            change_handle(account=account, handle="byron")
    assert handle_of(account) == "ada"


def test_a_crash_after_the_reservation_harms_nobody() -> None:
    """The handle is kept back while it is still in use: its person logs in, and can try again."""
    account = make_person("ada")
    reserve_handle(bytes(account.handle_tag))
    assert logs_in("ada")
    change_handle(account=account, handle="byron")
    assert logs_in("byron")


def test_tries_are_counted() -> None:
    """What a refusal tells of others is told as rarely as at the sign-up."""
    client = proven_client(make_person("ada"))
    make_person("ben")
    codes = [client.post("/account/handle/", {"handle": "ben"}).status_code for _ in range(SIGN_UPS_OF_A_NETWORK.most)]
    assert set(codes) == {422}
    assert client.post("/account/handle/", {"handle": "ben"}).status_code == 429


def test_the_new_handle_stands_nowhere_in_clear() -> None:
    account = make_person("ada")
    change_handle(account=account, handle="marigold")
    row = User.objects.filter(pk=account.pk).values().get()
    assert not any(b"marigold" in bytes(value) for value in row.values() if isinstance(value, bytes | memoryview))
    assert "marigold" not in str(row)
