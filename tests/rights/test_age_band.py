"""The age band is corrected in place; under 13 leads to the end of the account, which is explained and asked for."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from mindstage.accounts.models import AgeBand, User
from mindstage.accounts.notices import list_notices
from mindstage.accounts.sessions import keep_proof
from mindstage.ledger import book
from mindstage.rights.ages import correct_age_band
from mindstage.rights.consents import give, may, switches_of
from mindstage.rights.erasure import request_of
from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]
HERE = "/your-data/age/"


def proven_client(account: User) -> Client:
    client = signed_in_client(account)
    keep_proof(client.cookies["session"].value)
    return client


def band_of(account: User) -> str:
    return User.objects.get(pk=account.pk).age_band


@pytest.mark.parametrize("band", AgeBand)
def test_another_band_is_written_and_told(band: AgeBand) -> None:
    """Both ways; a notice says so, and the account page shows it. The same band again is no change and no notice."""
    other = AgeBand.TEEN if band is AgeBand.ADULT else AgeBand.ADULT
    ada = make_person("ada", age_band=other)
    client = proven_client(ada)
    for place in ("/account/", "/your-data/"):
        assert 'href="/your-data/age/"' in client.get(place).content.decode()
    for _ in range(2):
        answer = client.post(HERE, {"age_band": band.value})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/account/?aged")
    assert band_of(ada) == band
    page = client.get("/account/?aged").content.decode()
    assert f"<dt>Age band</dt><dd>{band.label}" in page
    assert [notice.text for notice in list_notices(ada.pk)] == ["Your age band was corrected."]


def test_it_asks_who_is_there() -> None:
    """A stranger is led to the door, somebody signed in to the proof; nothing changes before."""
    assert Client().get(HERE).headers["Location"].startswith("/session/new/")
    ada = make_person("ada")
    client = signed_in_client(ada)
    assert client.get(HERE).headers["Location"].startswith("/session/proof/?next=")
    assert client.post(HERE, {"age_band": "13_17"}).status_code == 302
    assert band_of(ada) == AgeBand.ADULT


@pytest.mark.parametrize("band", ["", "99", "12", "18_PLUS"])
def test_what_is_no_band_changes_nothing(band: str) -> None:
    ada = make_person("ada")
    answer = proven_client(ada).post(HERE, {"age_band": band})
    assert answer.status_code == 422
    assert "Please choose one" in answer.content.decode()
    assert band_of(ada) == AgeBand.ADULT


def test_under_13_destroys_nothing_by_itself() -> None:
    """The page says that the account has to end, offers to take all along, and asks; until then all is as it was."""
    ada = make_person("ada")
    client = proven_client(ada)
    answer = client.post(HERE, {"age_band": "under_13"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/your-data/erasures/?under-13")
    assert (band_of(ada), request_of(ada.pk)) == (AgeBand.ADULT, None)
    assert list_notices(ada.pk) == []
    page = client.get("/your-data/erasures/?under-13").content.decode()
    assert "13 and older" in page
    assert "Nothing has been changed yet" in page
    assert "/your-data/exports/" in page
    assert HERE in page
    wrong = client.post("/your-data/erasures/?under-13", {"handle": "eve"})
    assert (wrong.status_code, "13 and older" in wrong.content.decode()) == (422, True)
    assert request_of(ada.pk) is None
    client.post("/your-data/erasures/?under-13", {"handle": "ada"})
    assert request_of(ada.pk) is not None
    assert not User.objects.get(pk=ada.pk).is_active


def test_a_yes_that_only_adults_give_ends_with_the_band() -> None:
    """For good: whoever is 18 one day is asked anew. It is a withdrawal like any other, so no backup undoes it."""
    ada = make_person("ada")
    give(person=ada.pk, purpose="training")
    give(person=ada.pk, purpose="improvement")
    correct_age_band(person=ada.pk, age_band=AgeBand.TEEN)
    assert not may(ada.pk, "training")
    assert may(ada.pk, "improvement")
    correct_age_band(person=ada.pk, age_band=AgeBand.ADULT)
    assert not may(ada.pk, "training")
    last = {switch.question.id: switch.last for switch in switches_of(ada.pk)}["training"]
    assert last is not None
    assert not last.given


def test_a_band_without_such_a_yes_writes_nothing_to_the_ledger() -> None:
    """The ledger is never shortened: what withdraws nothing is not in it."""
    ada = make_person("ada")
    before = book.read_book(settings.MINDSTAGE.ledger_dir)
    correct_age_band(person=ada.pk, age_band=AgeBand.TEEN)
    assert book.read_book(settings.MINDSTAGE.ledger_dir) == before


def test_one_who_is_leaving_changes_nothing() -> None:
    """Neither a frozen account nor one whose keys are being destroyed."""
    ada = make_person("ada")
    client = proven_client(ada)
    for state in (User.State.FROZEN, User.State.DESTROYING):
        User.objects.filter(pk=ada.pk).update(state=state)
        client.post(HERE, {"age_band": "13_17"})
        assert band_of(ada) == AgeBand.ADULT
