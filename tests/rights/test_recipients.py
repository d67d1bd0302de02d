"""Who really got parts of somebody's stories: on the page, in the archive, on the receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from mindstage.accounts.models import User
from mindstage.gateway.models import Sending
from mindstage.gateway.sendings import list_sent, note_sending
from mindstage.kit import clock
from mindstage.rights import export
from mindstage.rights.erasure import request_erasure, run_due
from mindstage.rights.receipts import fetch_receipt, went_out
from people import make_person, signed_in_client
from providers import remote
from rights.erasures import Life, make_life, pass_nights
from rights.takeouts import one, take_out, unzip

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Iterator[Life]:
    yield make_life("ada")
    for path in export.folder().glob("*"):
        path.unlink()


def test_a_line_for_each_provider_and_its_terms(ada: Life) -> None:
    """Requests are counted; other terms are another line; what another person sent is theirs."""
    ben = make_person("ben")
    note_sending(ada.person.pk, remote())
    with clock.moved(timedelta(days=3)):
        note_sending(ada.person.pk, remote())
        note_sending(ada.person.pk, remote(retains="nothing"))
    note_sending(ben.pk, remote(provider="attic"))
    today = clock.today()
    later = today + timedelta(days=3)
    found = {
        sent.keeps: (sent.first_on, sent.last_on, sent.requests, sent.ends_on) for sent in list_sent(ada.person.pk)
    }
    assert found == {
        "30 days": (today, later, 2, later + timedelta(days=30)),
        "nothing": (later, later, 1, later),
    }
    assert [sent.provider for sent in list_sent(ben.pk)] == ["attic"]


@pytest.mark.parametrize("terms", ["", "as long as the law asks", "until the end"])
def test_terms_without_a_time_have_no_end(ada: Life, terms: str) -> None:
    """What is not known is not made up."""
    note_sending(ada.person.pk, remote(retains=terms))
    assert [sent.ends_on for sent in list_sent(ada.person.pk)] == [None]
    assert [line["ends_on"] for line in went_out(ada.person.pk)] == ["not stated"]


def test_nothing_leaves_for_an_account_that_is_frozen(ada: Life) -> None:
    """There is no note, and no request goes without."""
    User.objects.filter(pk=ada.person.pk).update(state=User.State.FROZEN)
    assert note_sending(ada.person.pk, remote()) is None
    assert not Sending.objects.exists()


def test_the_page_names_who_got_it(ada: Life) -> None:
    """Before: nothing. After: who, where, what they keep, when, and until when; Ben's page says nothing of it."""
    client, ben = signed_in_client(ada.person), signed_in_client(make_person("ben"))
    before = client.get("/your-data/").content.decode()
    assert "<b>Nothing leaves</b>" in before
    note_sending(ada.person.pk, remote())
    page = client.get("/your-data/").content.decode()
    sent = page[page.index('id="sent"') : page.index('id="sessions"')]
    gone = clock.today() + timedelta(days=30)
    for words in ("faraway", "Finland", "30 days", "1 request", f"{gone:%B %Y}", "no way to delete"):
        assert words in sent
    story = page[page.index('id="kind-story"') :]
    assert "Parts of it: faraway (Finland)" in story[: story.index("</article>")]
    assert "faraway" not in ben.get("/your-data/").content.decode()


def test_nobody_is_told_that_they_chose(ada: Life) -> None:
    """Whoever runs the copy sets its narrators and no page lets a person choose another, so none says that they can."""
    client = signed_in_client(ada.person)
    note_sending(ada.person.pk, remote())
    page, policy = (client.get(path).content.decode() for path in ("/your-data/", "/policy/"))
    assert "because the narrator of this copy was theirs" in page
    for words in ("narrator you chose", "only if you choose", "choose another narrator"):
        assert words not in page + policy


def test_the_archive_tells_it(ada: Life) -> None:
    note_sending(ada.person.pk, remote())
    (line,) = json.loads(one(unzip(take_out(ada.person)), "recipients.json"))["recipients"]
    assert (line["provider"], line["requests"]) == ("faraway", 1)


def test_the_receipt_lists_who_got_it_and_no_other(ada: Life) -> None:
    """With the terms that held and their end; the lines themselves are gone, Ben's stay."""
    ben = make_person("ben")
    note_sending(ada.person.pk, remote())
    note_sending(ben.pk, remote(provider="attic"))
    asked = request_erasure(ada.person.pk)
    pass_nights(8)
    run_due()
    (line,) = json.loads(fetch_receipt(asked.claim_code))["went_out"]
    assert (line["who"], line["where"], line["keeps"], line["trains"]) == ("faraway", "Finland", "30 days", "no")
    assert line["ends_on"] == (clock.today() + timedelta(days=30)).isoformat()
    assert [row.owner for row in Sending.objects.all()] == [ben.pk]
