"""Notices on the account page: the newest first, a few at a time, and no other is opened for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection

from mindstage.accounts.access_counts import AccessCount, store_counts
from mindstage.accounts.holdings import AccountsHolding
from mindstage.accounts.models import User
from mindstage.accounts.notices import LINES, Told, count_notices, list_notices, notify, see_notices
from mindstage.accounts.sessions import _FIND
from mindstage.accounts.views import accounts
from mindstage.kit import clock
from mindstage.vault.purposes import Purpose
from people import count_questions, make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]
DAYS = 30


@pytest.fixture
def ada() -> User:
    """Told something on each day of a month, and of two things on each day after the first ones."""
    person = make_person("ada")
    for day in range(-DAYS, 0):
        for second, which in enumerate(("first", "second")):
            with clock.moved(timedelta(days=day, seconds=second)):
                notify(account=person, text=f"The {which} of day {day}.")
    return person


def openings() -> int:
    store_counts()
    counts = AccessCount.objects.filter(purpose=Purpose.SHOW)
    number = sum(one.count for one in counts)
    counts.delete()
    return number


def test_only_what_is_shown_is_opened(ada: User) -> None:
    """A year of notices is no reason to count a year of openings each time the page is looked at."""
    openings()
    assert len(list_notices(ada.pk)) == LINES
    assert openings() == LINES
    assert count_notices(ada.pk) == DAYS * 2
    assert openings() == 0


def test_every_notice_stands_on_one_page(ada: User) -> None:
    """Page after page, the newest first, also within a day; a day is never torn apart."""
    notify(account=ada, text="Today.")
    told, before = [], None
    while page := list_notices(ada.pk, before=before):
        assert LINES <= len(page) <= LINES + 1 or page[-1].made_on == clock.today() - timedelta(days=DAYS)
        told += page
        before = page[-1].made_on
    days = range(-1, -DAYS - 1, -1)
    assert [one.text for one in told] == [
        "Today.",
        *(f"The {which} of day {day}." for day in days for which in ("second", "first")),
    ]


def test_the_page_leads_to_the_earlier_ones_and_back(ada: User) -> None:
    """The list stands above the forms; an address that names no day shows the newest; another's stay theirs."""
    client = signed_in_client(ada)
    page = client.get("/account/").content.decode()
    assert page.index("The second of day -1.") < page.index('action="/account/passphrase/"')
    link = f"?told-before={clock.today() - timedelta(days=LINES // 2):%Y-%m-%d}"
    assert f'href="{link}#told"' in page
    earlier = client.get(f"/account/{link}").content.decode()
    assert "The second of day -1." not in earlier
    assert f"The second of day -{LINES // 2 + 1}." in earlier
    assert 'href="/account/#told"' in earlier
    assert "The second of day -1." in client.get("/account/?told-before=yesterday").content.decode()
    assert "of day" not in signed_in_client(make_person("ben")).get(f"/account/{link}").content.decode()
    end = client.get("/account/?told-before=2001-01-01").content.decode()
    assert "Nothing earlier is kept" in end


def test_your_data_leads_to_them(ada: User) -> None:
    """With their number, where it says who opened what."""
    page = signed_in_client(ada).get("/your-data/").content.decode()
    assert f'<a href="/account/#told">{DAYS * 2} notices</a>' in page


def test_every_page_says_how_many_are_new() -> None:
    """For screens and for readers, without one query more; until the list is looked at, which names them."""
    ada, ben = make_person("ada"), make_person("ben")
    client, others = signed_in_client(ada), signed_in_client(ben)
    page, before = count_questions(lambda: client.get("/").content.decode())
    assert "new notice" not in page
    for which in ("first", "second", "third"):
        notify(account=ada, text=f"The {which}.")
    page, asked = count_questions(lambda: client.get("/").content.decode())
    assert asked == before
    assert 'aria-label="Account: ada, 3 new notices"' in page
    assert ">3 new notices</a>" in page
    client.head("/account/")
    client.get("/account/?told-before=2001-01-01")
    others.get("/account/")
    assert "3 new notices" in client.get("/").content.decode()
    looked_at = client.get("/account/").content.decode()
    assert looked_at.count(">New</span>") == 3
    for page in (looked_at, client.get("/").content.decode()):
        assert "new notice" not in page
    notify(account=ada, text="The fourth.")
    assert ', 1 new notice"' in client.get("/").content.decode()
    assert client.get("/account/").content.decode().count(">New</span>") == 1


def test_one_that_comes_while_they_are_read_stays_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the list and the page: it was not shown, so it is not counted as seen."""
    ada = make_person("ada")
    client = signed_in_client(ada)
    notify(account=ada, text="The first.")

    def list_and_tell(*args: Any, **more: Any) -> list[Told]:
        page = list_notices(*args, **more)
        notify(account=ada, text="The second.")
        return page

    with monkeypatch.context() as patched:
        patched.setattr(accounts, "list_notices", list_and_tell)
        assert "The second." not in client.get("/account/").content.decode()
    assert ', 1 new notice"' in client.get("/").content.decode()


def test_an_export_says_which_were_seen() -> None:
    ada = make_person("ada")
    notify(account=ada, text="The first.")
    see_notices(ada.pk)
    notify(account=ada, text="The second.")
    told = dict(AccountsHolding().export(ada.pk))["notices.json"]["notices"]
    assert [(one["text"], one["seen"]) for one in told] == [("The first.", True), ("The second.", False)]


@pytest.mark.sqlite
def test_the_number_is_read_out_of_an_index(ada: User) -> None:
    """Of the unseen ones alone, so that a year of notices makes no page dearer."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {_FIND}", [b""])
        assert "COVERING INDEX new_notices" in str(cursor.fetchall())


def test_what_to_do_about_a_strange_one_can_be_done() -> None:
    """Whoever has no passphrase is not told to change it."""
    account = make_person("ada")
    notify(account=account, text="A passkey was added.")
    for password, says, says_not in (
        (account.password, "change your passphrase", "remove each passkey"),
        (make_password(None), "remove each passkey", "change your passphrase"),
    ):
        User.objects.update(password=password)
        page = signed_in_client(User.objects.get()).get("/account/").content.decode()
        assert (says in page, says_not in page) == (True, False)
