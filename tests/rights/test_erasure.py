"""An erasure from the request to its receipt, called off, cut short, and found unfinished."""

from __future__ import annotations

import json
import uuid
from datetime import date, timedelta

import pytest
from django.conf import settings

from mindstage.accounts.handles import handle_tag
from mindstage.accounts.models import Session, User
from mindstage.accounts.refused import Refused
from mindstage.accounts.sessions import begin_session, find_session
from mindstage.accounts.sign_in import sign_in
from mindstage.kit import clock
from mindstage.ledger import book
from mindstage.ledger.book import Kind
from mindstage.ledger.envelopes import claim_nonce, commit
from mindstage.ledger.receipts import check_receipt
from mindstage.ops.models import Job
from mindstage.rights.erasure import (
    AlreadyAsked,
    TooLate,
    cancel_erasure,
    find_request,
    request_erasure,
    run_due,
)
from mindstage.rights.receipts import NoReceipt, fetch_receipt, receipt_key
from mindstage.rights.requests import ErasureRequest
from mindstage.stories.models import Story
from mindstage.vault.clocks import slow_date
from mindstage.vault.ending import is_reserved, record
from mindstage.vault.keys import KeyGone
from mindstage.vault.models import ReservedHandle
from mindstage.vault.purposes import Purpose
from mindstage.vault.rotation import rotate
from mindstage.vault.sealing import Unreadable
from people import PASSPHRASE, make_person
from rights.erasures import Life, assert_gone, assert_intact, make_life, pass_nights, request_of

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Life:
    """She will go."""
    return make_life("ada")


@pytest.fixture
def ben(vault: None) -> Life:
    """He will stay."""
    return make_life("ben")


def test_a_whole_erasure(ada: Life, ben: Life) -> None:
    """Frozen for seven days, then keys, rows, verification, the epoch, and a receipt that checks offline."""
    asked = request_erasure(ada.person.pk)
    pass_nights(6)
    assert request_of(asked).state == "frozen"
    assert Story.objects.filter(pk=ada.story.pk).exists()
    pass_nights(1, turning=False)
    assert request_of(asked).state == "waiting"
    assert_gone(ada)
    with pytest.raises(NoReceipt):
        fetch_receipt(asked.claim_code)
    rotate()
    assert run_due() == 1
    row = request_of(asked)
    assert (row.state, row.account, row.facts) == ("done", None, {})
    receipt = check_receipt(fetch_receipt(asked.claim_code), key=receipt_key())
    found = {store["store"]: store["found"] for store in receipt["stores"]}
    assert found["database:default stories"] == 1
    assert found["database:keystore keys"] == 3
    assert receipt["commitment"] == commit("ada", claim_nonce(asked.claim_code)).hex()
    assert receipt["requested_on"] == (asked.due_on - timedelta(days=7)).isoformat()
    chain = book.read_book(settings.MINDSTAGE.ledger_dir)
    assert chain is not None
    assert [entry.kind for entry in chain.entries] == [Kind.PERSON]
    assert receipt["ledger"]["head"] == chain.head.hash
    assert_intact(ben)


def test_the_freeze_hides_everything_and_ends_sessions(ada: Life) -> None:
    """From the moment of the request nothing is processed; who logs in again is known as frozen."""
    cookie = begin_session(ada.person, "computer")
    request_erasure(ada.person.pk)
    assert find_session(cookie) is None
    assert not Session.objects.filter(account=ada.person).exists()
    again = sign_in(handle="ada", passphrase=PASSPHRASE)
    assert again is not None
    visitor = find_session(begin_session(again, "computer"))
    assert visitor is not None
    assert visitor.frozen


def test_asking_twice_is_one_request(ada: Life) -> None:
    """While frozen, and while it is being destroyed, a second request changes nothing."""
    first = request_erasure(ada.person.pk)
    with pytest.raises(AlreadyAsked):
        request_erasure(ada.person.pk)
    assert ErasureRequest.objects.count() == 1
    pass_nights(7, turning=False)
    with pytest.raises(AlreadyAsked):
        request_erasure(ada.person.pk)
    assert request_of(first).state == "waiting"


def test_calling_it_off(ada: Life, ben: Life) -> None:
    """By click or by code: the account is as it was, for good, and may be asked for again."""
    asked = request_erasure(ada.person.pk)
    pass_nights(5)
    cancel_erasure(request_of(asked))
    assert User.objects.get(pk=ada.person.pk).is_active
    assert find_request(asked.claim_code) is None
    pass_nights(30)
    assert Story.objects.get(pk=ada.story.pk).open("title", Purpose.SHOW)
    again = request_erasure(ada.person.pk)
    assert again.claim_code != asked.claim_code
    pass_nights(8)
    run_due()
    assert_gone(ada)
    assert_intact(ben)


def test_after_the_point_of_no_return_nothing_calls_it_off(ada: Life) -> None:
    """Neither a click that comes late nor one that raced the night."""
    asked = request_erasure(ada.person.pk)
    stale = request_of(asked)
    pass_nights(7, turning=False)
    with pytest.raises(TooLate):
        cancel_erasure(request_of(asked))
    with pytest.raises(TooLate):
        cancel_erasure(stale)
    assert_gone(ada)
    assert sign_in(handle="ada", passphrase=PASSPHRASE) is None


@pytest.mark.parametrize("days", [-400, -1, 40, 4000])
def test_a_wrong_wall_clock_ends_no_freeze(days: int, ada: Life) -> None:
    """The slow date ends it, one day a night: a clock that leaps or jumps back changes neither way."""
    asked = request_erasure(ada.person.pk)
    with clock.moved(timedelta(days=days)):
        run_due()
        pass_nights(3)
        assert request_of(asked).state == "frozen"
        assert request_of(asked).due_on - slow_date() == timedelta(days=4)
        pass_nights(4, turning=False)
        assert request_of(asked).state == "waiting"


def test_the_handle_is_kept_for_thirty_days(ada: Life) -> None:
    """Nobody can take it and pose as somebody who is gone; after that it is free."""
    request_erasure(ada.person.pk)
    pass_nights(8)
    run_due()
    assert is_reserved(handle_tag("ADA"))
    with pytest.raises(Refused):
        make_person("Ada")
    pass_nights(30)
    assert not is_reserved(handle_tag("ada"))
    assert make_person("Ada").pk != ada.person.pk


@pytest.mark.parametrize("waits", [0, 3, 40])
def test_the_handle_is_free_on_the_day_that_the_receipt_names(ada: Life, waits: int) -> None:
    """It counts from the ledger's entry, however long the epoch then waited; what is over is not on the receipt."""
    asked = request_erasure(ada.person.pk)
    pass_nights(7 + waits, turning=False)
    pass_nights(1)
    run_due()
    kept = {one["what"]: one["ends_on"] for one in json.loads(fetch_receipt(asked.claim_code))["kept"]}
    named = [ends_on for what, ends_on in kept.items() if what.startswith("a keyed tag of the handle")]
    if waits == 40:
        assert not named
        assert not ReservedHandle.objects.using("keystore").exists()
        return
    left = (date.fromisoformat(named[0]) - slow_date()).days
    assert left == 30 - waits - 1
    pass_nights(left - 1)
    assert ReservedHandle.objects.using("keystore").exists()
    pass_nights(1)
    assert slow_date().isoformat() == named[0]
    assert not ReservedHandle.objects.using("keystore").exists()


def test_what_is_found_again_stops_the_path(ada: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """A room that does not clear what it holds is an alarm, not a receipt; once it does, the path goes on."""
    from mindstage.stories.holdings import StoriesHolding

    asked = request_erasure(ada.person.pk)
    with monkeypatch.context() as patch:
        patch.setattr(StoriesHolding, "erase", lambda self, person: [])
        patch.setattr("mindstage.accounts.holdings.AccountsHolding.erase", lambda self, person: [])
        pass_nights(8)
        row = request_of(asked)
        assert row.findings > 0
        assert row.state == "keyless"
    pass_nights(1)
    run_due()
    assert request_of(asked).state == "done"
    assert_gone(ada)


def test_old_rows_stay_noise(ada: Life) -> None:
    """A sealed row that somebody kept opens no more, with any key that exists."""
    story = Story.objects.get(pk=ada.story.pk)
    request_erasure(ada.person.pk)
    pass_nights(8)
    with pytest.raises((KeyGone, Unreadable)):
        story.open("title", Purpose.SHOW)


def test_a_full_disk_stops_one_erasure_and_no_other(ada: Life, ben: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot go on is said and tried again; nothing that was done is undone, and others come to their end."""
    first, second = request_erasure(ada.person.pk), request_erasure(ben.person.pk)
    broken = request_of(first).subject

    def fail(kind: Kind, *subjects: uuid.UUID) -> book.Chain:
        if broken in subjects:
            raise OSError(28, "No space left on device")
        return record(kind, *subjects)

    with monkeypatch.context() as patch:
        patch.setattr("mindstage.rights.erasure.record", fail)
        pass_nights(6)
        with pytest.raises(OSError, match="No space left"):
            pass_nights(1, turning=False)
        assert (request_of(first).state, request_of(second).state) == ("destroying", "waiting")
        assert sign_in(handle="ada", passphrase=PASSPHRASE) is None
    pass_nights(1)
    run_due()
    assert [request_of(asked).state for asked in (first, second)] == ["done", "done"]
    assert_gone(ada)
    assert_gone(ben)


def test_jobs_that_name_the_person_are_cleared(ada: Life, ben: Life) -> None:
    """The queue holds identifiers alone, and none of somebody who is gone."""
    for life in (ada, ben):
        Job.objects.create(task="mindstage.nothing", subjects=[str(life.person.pk)])
    request_erasure(ada.person.pk)
    pass_nights(7)
    assert [job.subjects for job in Job.objects.all()] == [[str(ben.person.pk)]]
