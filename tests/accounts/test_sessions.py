"""Sessions: how long they live, whom they belong to, and that they open with their cookie alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from types import ModuleType

import pytest
from django.test import Client
from django.urls import reverse

from mindstage.accounts import doorsteps, sessions
from mindstage.accounts.doorsteps import Step, look_at_doorstep, make_doorstep, purge_old_doorsteps
from mindstage.accounts.models import Session, User
from mindstage.accounts.sessions import (
    ABSOLUTE,
    IDLE,
    SEEN_EVERY,
    begin_session,
    end_all,
    end_other_sessions,
    find_session,
    list_sessions,
    living_sessions,
    make_cookie,
    purge_ended_sessions,
    session_key_hash,
)
from mindstage.kit import clock
from people import PASSPHRASE, make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
SECOND = timedelta(seconds=1)
type Queries = Callable[..., AbstractContextManager[object]]


def until(row: Session, age: timedelta, *, since: str = "born") -> AbstractContextManager[None]:
    """Move the clock to when the session is `age` old."""
    return clock.moved(getattr(row, since) + age - clock.now())


def keep_used(cookie: str, row: Session, *, up_to: timedelta) -> None:
    """Come back every six days, so that only the absolute limit is left."""
    age = timedelta(days=6)
    while age < up_to:
        with until(row, age):
            assert find_session(cookie)
        age += timedelta(days=6)


def test_a_session_tells_who_asks() -> None:
    account = make_person("Ada")
    cookie = begin_session(account, "phone")
    visitor = find_session(cookie)
    assert visitor is not None
    assert visitor.account_id == account.id
    assert visitor.open_handle() == "Ada"
    assert (visitor.owner, visitor.state) == (False, "active")
    assert "Ada" not in repr(visitor)


def test_thirty_days_and_no_second_more() -> None:
    """A session that is used ends after 30 days, and its row is deleted by the read that finds it."""
    cookie = begin_session(make_person(), "phone")
    row = Session.objects.get()
    keep_used(cookie, row, up_to=ABSOLUTE - SECOND)
    with until(row, ABSOLUTE - SECOND):
        assert find_session(cookie)
    with until(row, ABSOLUTE):
        assert find_session(cookie) is None
    assert not Session.objects.exists()


def test_seven_days_without_use() -> None:
    cookie = begin_session(make_person(), "phone")
    row = Session.objects.get()
    with until(row, IDLE, since="seen"):
        assert find_session(cookie) is None
    assert not Session.objects.exists()
    cookie = begin_session(User.objects.get(), "phone")
    row = Session.objects.get()
    with until(row, IDLE - SECOND, since="seen"):
        assert find_session(cookie)


def test_use_is_written_every_ten_minutes_at_most(django_assert_num_queries: Queries) -> None:
    cookie = begin_session(make_person(), "phone")
    row = Session.objects.get()
    with until(row, SEEN_EVERY - SECOND), django_assert_num_queries(1):
        find_session(cookie)
    with until(row, SEEN_EVERY):
        with django_assert_num_queries(2):
            find_session(cookie)
        with django_assert_num_queries(1):
            find_session(cookie)
    assert Session.objects.get().seen > row.seen


def test_the_clock_deletes_what_has_ended() -> None:
    """Nobody has to come back for a row to go."""
    account = make_person()
    begin_session(account, "phone")
    row = Session.objects.get()
    with until(row, IDLE - SECOND, since="seen"):
        assert purge_ended_sessions() == 0
    with until(row, IDLE, since="seen"):
        cookie = begin_session(account, "computer")
        assert purge_ended_sessions() == 1
        assert find_session(cookie)


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=6), timedelta(days=40)])
def test_a_clock_that_was_ahead_makes_no_longer_session(ahead: timedelta) -> None:
    """Born while the clock was ahead, a session ends when the clock is put right: it would live for too long."""
    account = make_person()
    with clock.moved(ahead):
        cookie = begin_session(account, "computer")
    assert list_sessions(account) == []
    assert living_sessions([session_key_hash(cookie)]) == set()
    assert find_session(cookie) is None
    assert not Session.objects.exists()
    with clock.moved(ahead):
        begin_session(account, "computer")
    assert purge_ended_sessions() == 1


@pytest.mark.parametrize("notices", [find_session, lambda _: purge_ended_sessions()])
def test_a_week_without_use_is_no_longer_for_a_clock_that_was_ahead(notices: Callable[[str], object]) -> None:
    """Last used by such a clock, a session goes on, and its week begins when it is next used or looked at."""
    cookie = begin_session(make_person(), "phone")
    with clock.moved(timedelta(days=6)):
        assert find_session(cookie)
    notices(cookie)
    with clock.moved(IDLE - SECOND):
        assert Session.objects.get().seen <= clock.now() - IDLE + 2 * SECOND
    with clock.moved(IDLE):
        assert find_session(cookie) is None


def test_a_clock_that_goes_back_a_little_ends_no_session() -> None:
    """A machine's clock is put right by seconds all the time."""
    with clock.moved(timedelta(minutes=4)):
        cookie = begin_session(make_person(), "phone")
    assert find_session(cookie)
    assert purge_ended_sessions() == 0


def test_a_clock_that_was_ahead_leaves_no_doorstep() -> None:
    """Neither opens nor stays: a step of the future would wait for weeks."""
    with clock.moved(timedelta(days=40)):
        door = make_doorstep(Step.SHEET, codes=[])
    assert look_at_doorstep(door, Step.SHEET) is None
    assert purge_old_doorsteps() == 1
    with clock.moved(timedelta(minutes=4)):
        door = make_doorstep(Step.SHEET, codes=[])
    assert purge_old_doorsteps() == 0
    assert look_at_doorstep(door, Step.SHEET)


@pytest.mark.parametrize("cookie", ["", "x", "ä" * 5000, "\ud800", "\x00"])
def test_any_other_cookie_is_nobody(cookie: str) -> None:
    begin_session(make_person(), "phone")
    assert find_session(cookie) is None


def test_a_dead_cookie_is_taken_back() -> None:
    client = Client()
    client.cookies["session"] = "gone"
    response = client.get("/")
    assert response.status_code == 200
    assert response.cookies["session"]["max-age"] == 0


def test_a_row_cannot_be_edited_into_more() -> None:
    """Lengthened, moved to another account, or under another cookie's name, a row opens for nobody."""
    ada, ben = make_person("ada"), make_person("ben")
    cookie = begin_session(ada, "phone")
    row = Session.objects.get()
    for change in ({"born": row.born + SECOND}, {"account": ben}):
        Session.objects.filter(pk=row.pk).update(**change)
        assert find_session(cookie) is None
        Session.objects.filter(pk=row.pk).update(born=row.born, account=ada)
    assert find_session(cookie)
    Session.objects.filter(pk=row.pk).update(key_hash=session_key_hash("my own cookie"))
    assert find_session("my own cookie") is None


def test_neither_cookie_nor_its_key_is_in_the_row() -> None:
    cookie = begin_session(make_person(), "phone")
    row = Session.objects.get()
    kept = bytes(row.payload) + bytes(row.key_hash) + bytes(row.device)
    assert not [at for at in range(len(cookie) - 8) if cookie[at : at + 8].encode() in kept]
    assert b"phone" not in bytes(row.device)


@pytest.mark.parametrize(("room", "key_of"), [(sessions, "_payload_key"), (doorsteps, "_key")])
def test_a_row_opens_by_cookie_and_instance_together(
    room: ModuleType, key_of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the database and every key of the instance opens no session and no doorstep; nor does a cookie."""
    one, other = make_cookie(), make_cookie()
    here = getattr(room, key_of)(one)
    assert here == getattr(room, key_of)(one) != getattr(room, key_of)(other)
    monkeypatch.setattr(room, "instance_key", lambda _: b"of another instance" + bytes(13))
    assert getattr(room, key_of)(one) != here
    assert sessions._payload_key(one) != doorsteps._key(one)


def test_an_account_that_is_being_erased_has_no_visitors() -> None:
    """A frozen one has: they see that it is frozen, and nothing else."""
    account = make_person()
    cookie = begin_session(account, "phone")
    User.objects.update(state=User.State.FROZEN)
    visitor = find_session(cookie)
    assert visitor
    assert visitor.frozen
    User.objects.update(state=User.State.DESTROYING)
    assert find_session(cookie) is None


def test_log_out_ends_the_session_everywhere_at_once() -> None:
    """The row is gone, a copied cookie opens nothing, and the browser is told to drop what it kept."""
    client = signed_in_client(make_person())
    copied = Client()
    copied.cookies["session"] = client.cookies["session"].value
    assert copied.get("/account/").status_code == 200
    response = client.post("/session/end/")
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert response.cookies["session"]["max-age"] == 0
    assert not Session.objects.exists()
    assert copied.get("/account/").status_code == 302
    assert client.get("/session/end/").status_code == 405


def test_logging_in_again_replaces_this_browsers_session() -> None:
    make_person("ada")
    client = Client()
    for _ in range(2):
        client.post("/session/new/", {"handle": "ada", "passphrase": PASSPHRASE})
    assert Session.objects.count() == 1


def test_the_list_names_devices_and_which_one_is_here() -> None:
    account = make_person("ada")
    begin_session(account, "phone")
    cookie = begin_session(account, "computer")
    make_and_ignore = make_person("ben")
    begin_session(make_and_ignore, "tablet")
    browsers = list_sessions(account, current=session_key_hash(cookie))
    assert sorted((one.device, one.current) for one in browsers) == [("computer", True), ("phone", False)]


def test_one_ends_ones_own_sessions_and_nobody_elses() -> None:
    """Ben cannot end Ada's session by its name; Ada can."""
    ada, ben = make_person("ada"), make_person("ben")
    elsewhere = begin_session(ada, "phone")
    name = list_sessions(ada)[0].id
    path = reverse("session_one_end", args=[name])
    assert signed_in_client(ben).post(path).status_code == 404
    assert Client().post(path).status_code == 403
    assert find_session(elsewhere)
    here = signed_in_client(ada)
    assert here.post(path).status_code == 302
    assert find_session(elsewhere) is None
    assert here.get("/account/").status_code == 200
    assert here.post(reverse("session_one_end", args=[uuid.uuid4()])).status_code == 404


def test_all_other_sessions_end_and_this_one_stays() -> None:
    ada, ben = make_person("ada"), make_person("ben")
    here, bens = signed_in_client(ada), signed_in_client(ben)
    others = [begin_session(ada, "phone") for _ in range(3)]
    assert here.post("/account/sessions/end/").status_code == 302
    assert not any(map(find_session, others))
    assert here.get("/account/").status_code == 200
    assert bens.get("/account/").status_code == 200


def test_ending_a_session_leads_back_to_its_list() -> None:
    """To the account page, or to Your data when the button stood there; never to another site."""
    ada = make_person("ada")
    here = signed_in_client(ada)
    for asked, there in (
        ({}, "/account/"),
        ({"next": "/your-data/#sessions"}, "/your-data/#sessions"),
        ({"next": "//elsewhere.example/"}, "/"),
    ):
        other = Session.objects.get(pk=session_key_hash(begin_session(ada, "phone")))
        one = here.post(reverse("session_one_end", args=[other.ident]), asked)
        others = here.post("/account/sessions/end/", asked)
        assert (one.headers["Location"], others.headers["Location"]) == (there, there)


def test_deeds_end_what_they_say() -> None:
    ada, ben = make_person("ada"), make_person("ben")
    kept, other, bens = begin_session(ada, "phone"), begin_session(ada, "phone"), begin_session(ben, "phone")
    end_other_sessions(ada, keep=session_key_hash(kept))
    assert find_session(kept)
    assert find_session(other) is None
    end_all(ada)
    assert find_session(kept) is None
    assert find_session(bens)


def test_a_signed_in_page_asks_the_database_once(django_assert_num_queries: Queries) -> None:
    """Session, account and handle come with one query."""
    client = signed_in_client(make_person())
    with django_assert_num_queries(1):
        page = client.get("/")
    assert "Account: ada" in page.content.decode()
    with django_assert_num_queries(0):
        Client().get("/")
