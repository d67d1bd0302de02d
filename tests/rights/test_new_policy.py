"""A new version of the policy: what changed its purpose is asked again, and everybody is told once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from mindstage.accounts.email import keep_address
from mindstage.accounts.letters import send_notice
from mindstage.accounts.models import Notice, User
from mindstage.accounts.notices import list_notices
from mindstage.config.mail import mailers
from mindstage.config.schedule import CLOCKS
from mindstage.kit import clock
from mindstage.ops.census.mailbox import Mailbox
from mindstage.ops.jobs import run_next_job
from mindstage.ops.starting import open_house
from mindstage.rights import consents, versions
from mindstage.rights.consents import give, may, withdraw
from mindstage.rights.models import PolicyNotice, PolicyVersion
from mindstage.vault.keys import forget_keys
from mindstage.vault.models import UserKey
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client
from publishing import Press, later
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)


@pytest.fixture
def ada(ledger: Path) -> User:
    return make_person("ada")


def test_a_changed_purpose_asks_again(ada: User, press: Press) -> None:
    """Yes counts for the old wording: after a release with another purpose it is a no until it is said again."""
    versions.note_versions()
    give(person=ada.pk, purpose="training")
    press.change("consent", "training", purpose="dpv:Marketing")
    assert not may(ada.pk, "training")  # even before it is released: the program would do something else
    press.publish(says="Training is for advertising now.")
    assert not may(ada.pk, "training")
    assert [question.id for question in consents.asked_again(ada.pk)] == ["training"]
    client = signed_in_client(ada)
    assert "We must ask you again" in client.get("/account/").content.decode()
    assert "Asked again" in client.get("/your-data/consents/").content.decode()
    give(person=ada.pk, purpose="training")
    assert may(ada.pk, "training")
    assert consents.asked_again(ada.pk) == []


def test_a_default_is_no_yes_to_something_new(ada: User, press: Press) -> None:
    """Who never answered came for the old meaning; who signs up afterwards comes for the new one."""
    versions.note_versions()
    press.change("consent", "personalisation", asks="Something else?")
    press.publish()
    versions.note_versions()
    assert not may(ada.pk, "personalisation")
    assert [question.id for question in consents.asked_again(ada.pk)] == ["personalisation"]
    with later(1):
        ben = make_person("ben")
        assert may(ben.pk, "personalisation")
        assert not may(ada.pk, "personalisation")
        withdraw(person=ada.pk, purpose="personalisation")
        assert consents.asked_again(ada.pk) == []


def test_a_kind_of_data_whose_purpose_changed(ada: User, press: Press) -> None:
    """Each change of its purpose is a question of its own; a no to the first is not forgotten over the second."""
    versions.note_versions()
    press.change("entry", "story", purpose="dpv:ServiceOptimisation", opened_for=["show", "narrate", "export", "count"])
    press.publish()
    assert not may(ada.pk, "entry:story@2")
    withdraw(person=ada.pk, purpose="entry:story@2")
    wider = ["show", "narrate", "export", "count", "advertise"]
    press.change("entry", "story", purpose="dpv:Marketing", opened_for=wider)
    press.publish()
    give(person=ada.pk, purpose="entry:story@3")
    assert [may(ada.pk, f"entry:story@{version}") for version in (1, 2, 3)] == [False, False, True]
    page = signed_in_client(ada).get("/your-data/consents/").content.decode()
    assert page.count("Before version 2 of the policy") == page.count("Before version 3 of the policy") == 1
    answer = signed_in_client(ada).post("/your-data/consents/entry:story@2/", {"given": "yes"})
    assert answer.headers["Location"] == "/your-data/consents/#ask-entry:story@2"
    assert may(ada.pk, "entry:story@2")


def test_a_version_holds_here_thirty_days_after_it_came(press: Press, ada: User) -> None:
    """An instance that is brought up to date late still tells its people first. The edge: the day before, the day."""
    versions.note_versions()
    press.change("entry", "story", note="Something else.")
    press.publish(effective=clock.today() + timedelta(days=30))
    with later(100):
        versions.note_versions()
        assert versions.version_in_force().release.number == 1
    with later(129):
        versions.note_versions()
        assert versions.version_in_force().release.number == 1
    with later(130):
        assert versions.version_in_force().release.number == 2
    assert PolicyVersion.objects.count() == 2


def test_a_new_instance_begins_with_the_newest(press: Press, ledger: Path) -> None:
    """Where nobody was before, nobody has to be told."""
    press.change("entry", "story", note="Something else.")
    press.publish()
    versions.note_versions()
    assert versions.version_in_force().release.number == 2
    assert versions.announced() is None


def test_everybody_is_told_once(ada: User, press: Press) -> None:
    """A notice for each account that was there before, by the clock, however often it rings; none for those after."""
    ben = make_person("ben")
    versions.tell_everybody()
    assert not PolicyNotice.objects.exists()
    press.change("entry", "story", note="Something else.")
    press.publish()
    (by_itself,) = (each.deed for each in CLOCKS if each.name == "policy notices")
    assert [by_itself() for _ in range(3)] == [2, 0, 0]
    assert "/policy/" in list_notices(ada.pk)[0].text
    assert re.search(r'<a href="http[^"]+/policy/changes/"', signed_in_client(ada).get("/account/").content.decode())
    assert len(list_notices(ben.pk)) == 1
    with later(1):
        cleo = make_person("cleo")
        assert versions.tell_everybody() == 0
        assert list_notices(cleo.pk) == []


def test_the_news_goes_by_mail_to_those_who_gave_an_address(ada: User, press: Press, settings: Any) -> None:
    """One letter each over a real connection, however often the clock rings: the day, and a page's full address."""
    ben = make_person("ben")
    keep_address(account=ada, address="ada@example.org")
    versions.tell_everybody()
    press.change("entry", "story", note="Something else.")
    press.publish()
    settings.MINDSTAGE = replace(settings.MINDSTAGE, address="https://stage.example.org")
    with Mailbox() as mailbox:
        settings.MAILERS = mailers(mailbox.address)
        for _ in range(3):
            versions.tell_everybody()
            while run_next_job():
                pass
        (letter,) = map(message_from_string, mailbox.letters)
        (newest,) = [row for row in Notice.objects.filter(account=ada) if "policy" in row.open("text", Purpose.NOTIFY)]
        send_notice.call(str(newest.pk))  # a worker was killed after its letter had gone
        again = message_from_string(mailbox.letters[1])
    text = letter.get_payload(decode=True).decode()
    assert letter["To"] == "ada@example.org"
    assert f"on {clock.today() + timedelta(days=30):%-d %B %Y}" in text
    assert "https://stage.example.org/policy/changes/" in text
    assert "changed in your account" not in text
    assert again["Message-ID"] == letter["Message-ID"]
    assert len(list_notices(ben.pk)) == 1


def test_one_who_cannot_be_told_keeps_the_news_from_nobody(ada: User, press: Press) -> None:
    """An account whose key is gone (it is being erased, or an older keystore came back) is passed over, each time."""
    versions.tell_everybody()
    people = [make_person(handle) for handle in ("ben", "cleo")]
    press.change("entry", "story", note="Something else.")
    press.publish()
    UserKey.objects.using("keystore").filter(pk=people[0].pk).delete()
    forget_keys()
    assert [versions.tell_everybody() for _ in range(2)] == [2, 0]
    assert all(list_notices(person.pk) for person in (ada, people[1]))


def test_the_banner(ada: User, press: Press) -> None:
    """It says from when and what, on every page, until it is read; then it is gone for that person alone."""
    versions.note_versions()
    client, other = signed_in_client(ada), signed_in_client(make_person("ben"))
    assert "policy-banner" not in client.get("/account/").content.decode()
    press.change("entry", "story", note="Something else.")
    press.publish(says="Stories are noted otherwise.")
    versions.note_versions()
    shown = client.get("/account/").content.decode()
    assert "Stories are noted otherwise." in shown
    assert f"{(clock.today() + timedelta(days=30)):%B %Y}" in shown
    assert "policy-banner" not in Client().get("/").content.decode()
    answer = client.post("/policy/2/notice/", {"next": "/account/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account/")
    assert "policy-banner" not in client.get("/account/").content.decode()
    assert "policy-banner" in other.get("/account/").content.decode()
    assert client.post("/policy/9/notice/").status_code == 404
    assert Client().post("/policy/2/notice/").status_code == 403


@pytest.mark.parametrize("number", [1, 2, 3, 16])
def test_many_changes_do_not_push_every_page_down(ada: User, press: Press, number: int) -> None:
    """One or two stand there; more are counted, and unfold where they are."""
    versions.note_versions()
    press.change("entry", "story", note="Something else.")
    press.publish(says=[f"Change {count}." for count in range(number)])
    versions.note_versions()
    shown = signed_in_client(ada).get("/account/").content.decode()
    banner = shown[shown.index('id="policy-banner"') : shown.index("I have read it")]
    assert all(f"Change {count}." in banner for count in range(number))
    folded = number > 2
    assert ("<details>" in banner, f"{number} things will be different." in banner) == (folded, folded)


def test_a_question_stays_in_the_banner(ada: User, press: Press) -> None:
    """A notice can be closed; a question that must be answered again cannot, not even after the version holds."""
    versions.note_versions()
    press.change("consent", "personalisation", asks="Something else?")
    press.publish()
    versions.note_versions()
    client = signed_in_client(ada)
    client.post("/policy/2/notice/")
    with later(3):
        assert "We must ask you again" in signed_in_client(ada).get("/account/").content.decode()
    with later(90):
        assert "We must ask you again" in signed_in_client(ada).get("/account/").content.decode()
        withdraw(person=ada.pk, purpose="personalisation")
        assert "policy-banner" not in signed_in_client(ada).get("/account/").content.decode()


def test_a_no_takes_one_press(ada: User, press: Press) -> None:
    """Whoever is asked again may leave the switch off and is asked no more; the banner goes with the last answer."""
    versions.note_versions()
    for purpose in ("training", "improvement"):
        give(person=ada.pk, purpose=purpose)
        press.change("consent", purpose, purpose="dpv:Marketing")
    press.publish()
    versions.note_versions()
    client, partial = signed_in_client(ada), {"X-Partial": "1"}
    assert client.get("/your-data/consents/").content.decode().count("Leave it off") == 2
    read = client.post("/policy/2/notice/", headers=partial).content.decode()
    assert "We must ask you again" in read
    assert "I have read it" not in read
    first = client.post("/your-data/consents/training/", {"given": "no"}, headers=partial).content.decode()
    assert "Leave it off" not in first
    assert "“Train models" not in first[first.index('id="policy-banner"') :]
    last = client.post("/your-data/consents/improvement/", {"given": "no"}, headers=partial).content.decode()
    assert '<div id="policy-banner" data-gone>' in last
    assert consents.asked_again(ada.pk) == []
    assert not may(ada.pk, "improvement")


def test_the_page_of_a_story_says_it_too(ada: User, press: Press) -> None:
    """In one line above the composer: when the policy changes, and what is asked again."""
    versions.note_versions()
    page = f"/stories/{make_story(ada, turns=1).pk}/"
    client = signed_in_client(ada)
    assert "policy-banner" not in client.get(page).content.decode()
    give(person=ada.pk, purpose="training")
    press.change("consent", "training", purpose="dpv:Marketing")
    press.publish()
    versions.note_versions()
    shown = client.get(page).content.decode()
    assert "We must ask you again." in shown
    assert f"The data policy changes on {clock.today() + timedelta(days=30):%-d %B %Y}." in shown


def test_the_day_that_is_promised_stays(ada: User, press: Press) -> None:
    """A start with a new version notes it: the banner says the same day tomorrow, whether its clock has rung or not."""
    versions.note_versions()
    press.change("entry", "story", note="Something else.")
    press.publish()
    open_house()
    promised = versions.announced()
    with later(1):
        assert promised == versions.announced()
