"""Each use that a person decides about waits for a yes, to the wording that is meant now, and a no is for good."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from mindstage.accounts.models import AgeBand, User
from mindstage.accounts.rate_limits import YESES
from mindstage.datamap import permission
from mindstage.datamap.holdings import holdings
from mindstage.kit import clock
from mindstage.ledger import book
from mindstage.ledger.book import Kind
from mindstage.rights.consents import NoSuchQuestion, SaidNoBySignal, give, may, switches_of, withdraw
from mindstage.rights.models import Consent, PolicyNotice, switch_of
from mindstage.vault.ending import apply_to_database
from mindstage.vault.marks import database_mark
from mindstage.vault.tags import ledger_tag
from people import make_person, signed_in_client
from publishing import later

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)


GPC = {"Sec-GPC": "1"}
SWITCHES = ("personalisation", "improvement", "training")


@pytest.fixture
def ada(ledger: Path) -> User:
    return make_person("ada")


def asked(person: User) -> dict[str, bool]:
    return {purpose: may(person.pk, purpose) for purpose in SWITCHES}


def kinds(folder: Path) -> list[Kind]:
    chain = book.read_book(folder)
    assert chain
    return [entry.kind for entry in chain.entries]


def test_how_it_begins(ada: User) -> None:
    """On, off, off, without a row being written for it."""
    assert asked(ada) == {"personalisation": True, "improvement": False, "training": False}
    assert not Consent.objects.exists()


def test_a_yes_and_a_no_are_one_persons(ada: User) -> None:
    """Ben's and Cleo's answers are their own."""
    ben, cleo = make_person("ben"), make_person("cleo")
    give(person=ada.pk, purpose="training")
    withdraw(person=ben.pk, purpose="personalisation")
    assert [may(person.pk, "training") for person in (ada, ben, cleo)] == [True, False, False]
    assert [may(person.pk, "personalisation") for person in (ada, ben, cleo)] == [True, False, True]


def test_each_answer_is_kept(ada: User) -> None:
    """Yes, no, yes: three lines, each with its day and wording. The same answer twice is one."""
    give(person=ada.pk, purpose="training")
    give(person=ada.pk, purpose="training")
    with later(1):
        withdraw(person=ada.pk, purpose="training")
    with later(2):
        give(person=ada.pk, purpose="training")
    history = next(switch.history for switch in switches_of(ada.pk) if switch.question.id == "training")
    today = clock.today()
    assert [(answer.given, answer.version, answer.said_on) for answer in history] == [
        (True, 1, today),
        (False, 1, today + timedelta(days=1)),
        (True, 1, today + timedelta(days=2)),
    ]


def test_the_rooms_below_ask_by_the_same_word(ada: User) -> None:
    """`datamap.permission.may` is this answer; unknown people, unknown questions and frozen accounts get a no."""
    assert permission.may(ada.pk, "personalisation")
    assert not permission.may(switch_of(ada.pk, "x"), "personalisation")
    assert not permission.may(ada.pk, "advertising")
    User.objects.filter(pk=ada.pk).update(state=User.State.FROZEN)
    assert not permission.may(ada.pk, "personalisation")


def test_minors_are_never_asked_about_training(ledger: Path) -> None:
    """They see two switches, and no form can say yes for them."""
    teen = make_person("teen", age_band=AgeBand.TEEN)
    assert [switch.question.id for switch in switches_of(teen.pk)] == ["personalisation", "improvement"]
    with pytest.raises(NoSuchQuestion):
        give(person=teen.pk, purpose="training")
    assert signed_in_client(teen).post("/your-data/consents/training/", {"given": "yes"}).status_code == 404
    assert not may(teen.pk, "training")


def test_a_withdrawal_is_an_entry_of_the_ledger(ada: User, ledger: Path) -> None:
    """Ledger, then pin, then the row; the database has then come as far as the ledger. A yes is no entry."""
    give(person=ada.pk, purpose="improvement")
    assert kinds(ledger) == []
    withdraw(person=ada.pk, purpose="improvement")
    chain = book.read_book(ledger)
    assert chain
    assert [(entry.kind, entry.tag) for entry in chain.entries] == [
        (Kind.WITHDRAWN, ledger_tag(switch_of(ada.pk, "improvement")))
    ]
    assert database_mark().ledger_length == 1


@pytest.mark.parametrize("purpose", SWITCHES)
@pytest.mark.parametrize("with_rows", [True, False])
def test_an_old_database_cannot_undo_a_no(ada: User, purpose: str, with_rows: bool) -> None:
    """The rows of before come back, with the yes or with nothing: the replay says no again, once."""
    if with_rows:
        give(person=ada.pk, purpose=purpose)
    kept, mark = list(Consent.objects.all()), database_mark().ledger_length
    withdraw(person=ada.pk, purpose=purpose)
    Consent.objects.all().delete()
    Consent.objects.bulk_create(kept)
    row = database_mark()
    row.ledger_length = mark
    row.save()
    chain = book.read_book(_folder())
    assert chain
    apply_to_database(chain)
    apply_to_database(chain)
    assert not may(ada.pk, purpose)
    last = Consent.objects.filter(purpose=purpose).order_by("-place")[0]
    assert (last.given, last.said_by) == (False, "restore")
    assert Consent.objects.filter(purpose=purpose).count() == len(kept) + 1


def test_a_yes_after_a_no_survives_a_plain_start(ada: User) -> None:
    """A replay of what the database has seen already changes nothing."""
    withdraw(person=ada.pk, purpose="personalisation")
    give(person=ada.pk, purpose="personalisation")
    chain = book.read_book(_folder())
    assert chain
    apply_to_database(chain)
    assert may(ada.pk, "personalisation")


def _folder() -> Path:
    from django.conf import settings

    folder: Path = settings.MINDSTAGE.ledger_dir
    return folder


def test_the_switches_work_at_once(ada: User) -> None:
    """A form turns one over, with or without scripts; there is nothing to save."""
    client = signed_in_client(ada)
    answer = client.post("/your-data/consents/training/", {"given": "yes"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/your-data/consents/#ask-training")
    assert may(ada.pk, "training")
    answer = client.post("/your-data/consents/training/", {"given": "no"}, headers={"X-Partial": "1"})
    assert b'id="ask-training"' in answer.content
    assert b'aria-checked="false"' in answer.content
    assert not may(ada.pk, "training")
    shown = client.get("/your-data/consents/").content.decode()
    assert [f'id="ask-{purpose}"' in shown for purpose in SWITCHES] == [True, True, True]
    assert shown.count('role="switch"') == 3


def test_nobody_else_turns_them(ada: User) -> None:
    """Cleo turns her own, a stranger none; a question that is not asked does not exist."""
    cleo = make_person("cleo")
    signed_in_client(cleo).post("/your-data/consents/training/", {"given": "yes"})
    assert asked(ada)["training"] is False
    assert Client().post("/your-data/consents/training/", {"given": "yes"}).status_code == 403
    assert signed_in_client(ada).post("/your-data/consents/advertising/", {"given": "yes"}).status_code == 404
    assert not Consent.objects.filter(account=ada).exists()


def test_a_browser_that_sends_the_signal(ada: User, ledger: Path) -> None:
    """Any page that is asked for with Sec-GPC: 1 turns improvement off, and only that, in the ledger too."""
    for purpose in SWITCHES:
        give(person=ada.pk, purpose=purpose)
    client = signed_in_client(ada)
    client.get("/account/", headers={"Sec-GPC": "0"})
    assert asked(ada)["improvement"]
    client.get("/account/", headers=GPC)
    assert asked(ada) == {"personalisation": True, "improvement": False, "training": True}
    assert kinds(ledger) == [Kind.WITHDRAWN]
    assert Consent.objects.filter(purpose="improvement").order_by("-place")[0].said_by == "signal"
    client.get("/account/", headers=GPC)
    assert kinds(ledger) == [Kind.WITHDRAWN]
    assert "Global Privacy Control" in client.get("/your-data/consents/", headers=GPC).content.decode()


def test_a_no_that_stands_is_not_written_again(ada: User, ledger: Path) -> None:
    """Nor is a yes; the ledger, which is never shortened, grows by what changes something alone."""
    for _ in range(3):
        withdraw(person=ada.pk, purpose="training")
    assert kinds(ledger) == [Kind.WITHDRAWN]
    assert Consent.objects.filter(purpose="training").count() == 1


def test_no_and_yes_in_turn_are_bounded_and_a_no_is_never_refused(ada: User, ledger: Path) -> None:
    client, path = signed_in_client(ada), "/your-data/consents/training/"
    answers = []
    for _ in range(YESES.most + 2):
        answers.append(client.post(path, {"given": "yes"}).status_code)
        assert client.post(path, {"given": "no"}).status_code == 302
    assert answers == [302] * YESES.most + [429] * 2
    assert len(kinds(ledger)) == YESES.most
    assert not asked(ada)["training"]


def test_no_yes_against_the_signal(ada: User) -> None:
    """The browser said no; a click in the same browser does not overrule it, and the page says what to do."""
    with pytest.raises(SaidNoBySignal):
        give(person=ada.pk, purpose="improvement", signal=True)
    answer = signed_in_client(ada).post("/your-data/consents/improvement/", {"given": "yes"}, headers=GPC)
    assert answer.status_code == 409
    assert "Global Privacy Control" in answer.content.decode()
    assert not may(ada.pk, "improvement")
    give(person=ada.pk, purpose="training", signal=True)
    assert may(ada.pk, "training")


def test_what_is_held_is_exported_and_erased(ada: User) -> None:
    """Every answer is in the export; erasing takes Ada's and leaves Ben's."""
    ben = make_person("ben")
    for person in (ada, ben):
        give(person=person.pk, purpose="training")
        PolicyNotice.objects.create(account=person, number=1, way=PolicyNotice.Way.BANNER)
    holding = next(holding for holding in holdings() if holding.name == "rights")
    ((name, content),) = holding.export(ada.pk)
    assert name == "consents.json"
    assert [answer["purpose"] for answer in content["answers"]] == ["training"]
    assert len(content["policy_notices"]) == 1
    assert sum(cleared.count for cleared in holding.erase(ada.pk)) == 2
    assert holding.erase(ada.pk) == []
    assert holding.remains(ada.pk) == []
    assert {finding.count for finding in holding.remains(ben.pk)} == {1}
