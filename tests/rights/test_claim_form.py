"""The form for a claim code: no guess finds one, and nobody's guesses stand in the way of a right one."""

from __future__ import annotations

import math

import pytest
from django.test import Client

from mindstage.accounts.models import User
from mindstage.ledger.envelopes import ALPHABET, make_claim_code, plain_code
from mindstage.rights.erasure import request_erasure
from mindstage.rights.views.receipts import NO_SUCH
from people import make_person

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
]
GUESSES = 70
"""More than any limit of a network."""


def ask(code: str, **more: str) -> int:
    return Client().post("/your-data/receipt/", {"code": code, **more}).status_code


def test_a_neighbours_guesses_keep_nobody_from_their_own_erasure() -> None:
    """Two people behind one address: one guesses for hours, the other looks and calls it off."""
    person = make_person("ada")
    code = request_erasure(person.pk).claim_code
    assert {ask(make_claim_code()) for _ in range(GUESSES)} == {422}
    assert ask(code) == 200
    assert ask(code, act="cancel") == 200
    assert User.objects.get(pk=person.pk).state == User.State.ACTIVE


def test_whoever_looks_again_and_again_keeps_no_neighbour_from_calling_it_off() -> None:
    patient, other = make_person("ada"), make_person("ben")
    mine, theirs = (request_erasure(person.pk).claim_code for person in (patient, other))
    assert {ask(mine) for _ in range(GUESSES)} == {200}
    assert ask(theirs, act="cancel") == 200


def test_guessing_is_hopeless() -> None:
    """That tries are not counted holds only while a code has so many bits, and a wrong one tells nothing."""
    code = request_erasure(make_person("ada").pk).claim_code
    assert len(plain_code(code)) * math.log2(len(set(ALPHABET))) >= 125
    near = code[:-1] + ("0" if code[-1] != "0" else "1")
    wrong = ["", "x", "00000-00000-00000-00000-00000", code[:-1], near, make_claim_code()]
    answers = [Client().post("/your-data/receipt/", {"code": one}) for one in wrong]
    assert {(answer.status_code, answer.context["problem"]) for answer in answers} == {(422, NO_SUCH)}


def test_a_wrong_code_stands_there_to_be_looked_at_again() -> None:
    """As it was typed: in 25 signs nobody finds the wrong one in an empty field. It shows as text, whatever it is."""
    answer = Client().post("/your-data/receipt/", {"code": 'DMADG "by3ey'})
    assert (answer.status_code, 'value="DMADG &quot;by3ey"' in answer.content.decode()) == (422, True)


def test_whoever_called_it_off_is_led_to_the_door() -> None:
    """The code has done its work, so nobody is asked for it any more."""
    code = request_erasure(make_person("ada").pk).claim_code
    page = Client().post("/your-data/receipt/", {"code": code, "act": "cancel"}).content.decode()
    main = page[page.index("<main") :]
    assert "Your account is as it was before" in main
    assert ('href="/session/new/"' in main, 'name="code"' in main) == (True, False)
