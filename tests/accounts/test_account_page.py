"""The account page, the passphrase, and who may see them."""

from __future__ import annotations

import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from mindstage.accounts.access import SignedInRequest, require_owner
from mindstage.accounts.devices import device_class
from mindstage.accounts.models import User
from mindstage.accounts.owner_link import make_owner_link
from mindstage.accounts.passphrases import matches
from mindstage.accounts.sessions import begin_session, find_session, keep_proof
from people import PASSPHRASE, make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
NEW = "a lantern, a ferry, a moth"


def test_the_page_shows_what_is_known() -> None:
    page = signed_in_client(make_person("Ada")).get("/account/").content.decode()
    assert "<dd>Ada <a" in page
    assert "18 or over" in page


def test_a_refused_field_has_the_focus() -> None:
    """The form stands far down the page: without the focus there, nobody would see that it was refused."""
    client = signed_in_client(make_person("Ada"))
    page = client.post("/account/passphrase/", {"old": PASSPHRASE, "new": "short"}).content.decode()
    assert re.search(r'<input[^>]* name="new"[^>]* aria-invalid="true" autofocus', page)
    assert "autofocus" not in client.get("/account/").content.decode()


def test_nobody_else_sees_it() -> None:
    """Pages lead to the door and back; a script's fetch and a form are refused."""
    client = Client()
    response = client.get("/account/?a=b")
    assert (response.status_code, response.headers["Location"]) == (302, "/session/new/?next=%2Faccount%2F%3Fa%3Db")
    assert client.get("/account/", headers={"Sec-Fetch-Dest": "empty"}).status_code == 403
    for path in ("/account/passphrase/", "/account/sessions/end/"):
        assert client.post(path).status_code == 403
        assert client.get(path).status_code == 302


def test_a_new_passphrase_ends_every_other_session() -> None:
    """This browser goes on under a new cookie; others and a copy of the old cookie do not."""
    account = make_person("ada")
    here = signed_in_client(account)
    former = here.cookies["session"].value
    elsewhere = begin_session(account, "phone")
    response = here.post("/account/passphrase/", {"old": PASSPHRASE, "new": NEW})
    assert response.status_code == 302
    assert find_session(elsewhere) is None
    assert find_session(former) is None
    assert "was changed" in here.get(response.headers["Location"]).content.decode()
    client = Client()
    assert client.post("/session/new/", {"handle": "ada", "passphrase": PASSPHRASE}).status_code == 422
    assert client.post("/session/new/", {"handle": "ada", "passphrase": NEW}).status_code == 302


def test_a_session_does_not_outlive_its_passphrase_even_if_its_row_does() -> None:
    """The payload holds a check of the passphrase that it began with."""
    account = make_person()
    cookie = begin_session(account, "phone")
    User.objects.update(password="argon2$another")
    assert find_session(cookie) is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"old": "not the right one", "new": NEW}, "not your present passphrase"),
        ({"old": PASSPHRASE, "new": "short"}, "at least 12"),
        ({"old": PASSPHRASE, "new": "ada ada ada ada"}, "only your handle"),
        ({"old": PASSPHRASE}, "fill this in"),
    ],
)
def test_a_refused_change_changes_nothing(given: dict[str, str], says: str) -> None:
    account = make_person("ada")
    here, elsewhere = signed_in_client(account), begin_session(account, "phone")
    response = here.post("/account/passphrase/", given)
    assert response.status_code == 422
    page = response.content.decode()
    assert says in page
    assert PASSPHRASE not in page
    assert NEW not in page
    assert find_session(elsewhere)
    assert matches(PASSPHRASE, User.objects.get().password)


def test_a_passphrase_that_is_given_must_be_right() -> None:
    """Also for whoever has just shown in another way who they are, and need not have given it."""
    here = signed_in_client(make_person("ada"))
    keep_proof(here.cookies["session"].value)
    assert here.post("/account/passphrase/", {"old": "wrong wrong wrong", "new": NEW}).status_code == 422
    assert matches(PASSPHRASE, User.objects.get().password)
    assert here.post("/account/passphrase/", {"new": NEW}).status_code == 302


def test_the_old_passphrase_cannot_be_guessed_here_either() -> None:
    """The account page shares its count with the door."""
    here = signed_in_client(make_person("ada"))
    for _ in range(10):
        assert here.post("/account/passphrase/", {"old": "wrong wrong wrong", "new": NEW}).status_code == 422
    assert here.post("/account/passphrase/", {"old": PASSPHRASE, "new": NEW}).status_code == 429
    assert Client().post("/session/new/", {"handle": "ada", "passphrase": PASSPHRASE}).status_code == 429


def test_only_the_owner_passes_the_owners_door() -> None:
    """For anybody else the page does not exist."""

    @require_owner
    def view(request: SignedInRequest) -> HttpResponse:
        return HttpResponse("health")

    def ask(account: User) -> int:
        request: HttpRequest = RequestFactory().get("/health/")
        request.visitor = find_session(begin_session(account, "phone"))  # type: ignore[attr-defined]
        return view(request).status_code

    assert ask(make_person("ada", owner_link=make_owner_link())) == 200
    assert ask(make_person("ben")) == 404


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148", "phone"),
        ("Mozilla/5.0 (Linux; Android 10; K) Chrome/140 Mobile Safari/537.36", "phone"),
        ("Mozilla/5.0 (Linux; Android 10; K) Chrome/140 Safari/537.36", "tablet"),
        ("Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) Mobile/15E148", "tablet"),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0", "computer"),
        ("", "computer"),
    ],
)
def test_of_a_browsers_name_only_its_class_is_kept(agent: str, device: str) -> None:
    assert device_class(agent) == device
