"""Before the rows of an erased account go, their texts are tried: what still opens is an alarm and no receipt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mindstage.accounts.models import Doorstep, Notice, Session
from mindstage.accounts.notices import notify
from mindstage.datamap.reading import data_map
from mindstage.kit import clock
from mindstage.ledger.receipts import check_receipt
from mindstage.rights import erasure, verifying
from mindstage.rights.erasure import request_erasure, run_due
from mindstage.rights.receipts import NoReceipt, fetch_receipt, receipt_key
from mindstage.rights.requests import ErasureRequest
from mindstage.rights.verifying import sealed_models, try_to_open, way_to_owner
from mindstage.stories.models import Story
from mindstage.vault import keys
from mindstage.vault.fields import SealedField
from mindstage.vault.keys import create_item_key, item_key
from mindstage.vault.models import ItemKey, UserKey
from mindstage.vault.purposes import Purpose
from rights.erasures import Life, make_life, pass_nights
from rights.test_erasure import assert_gone, assert_intact, request_of

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Life:
    """She will go."""
    return make_life("ada")


def test_the_receipt_says_how_many_texts_were_tried(ada: Life) -> None:
    """Handle, title, stage, opening, the character's columns, the notice of the freeze: none opened any more."""
    notify(account=ada.person, text="Something was changed.")
    everything = try_to_open(ada.person.pk)
    assert (everything.opened, len(everything.keys)) == (everything.texts, 3)
    asked = request_erasure(ada.person.pk)
    pass_nights(8)
    run_due()
    receipt = check_receipt(fetch_receipt(asked.claim_code), key=receipt_key())
    told_of_the_freeze = 1
    assert receipt["verification"] == {
        "texts_tried": everything.texts + told_of_the_freeze,
        "texts_opened": 0,
        "things_left": 0,
    }


def leave_the_row(ada: Life, _: Life) -> Callable[[], None]:
    """The person's own key comes back into the keystore."""
    row = UserKey.objects.using("keystore").get(pk=ada.person.pk)
    return lambda: row.save(using="keystore")


def leave_it_in_memory(ada: Life, _: Life) -> Callable[[], None]:
    """The keystore is clean; this process goes on knowing the key. No count of rows sees it."""
    key = item_key(ada.story.pk)

    def leave() -> None:
        keys._cache.forgotten = keys._read_forgotten()
        keys._cache.keys[ada.story.pk] = (key, clock.timestamp())

    return leave


def leave_it_with_another(ada: Life, ben: Life) -> Callable[[], None]:
    """The story's key stands in the keystore as somebody else's. No count of the person's keys sees it."""

    def leave() -> None:
        if not ItemKey.objects.using("keystore").filter(pk=ada.story.pk).exists():
            create_item_key(ada.story.pk, owner=ben.person.pk)

    return leave


FAULTS = {"a row": leave_the_row, "in memory": leave_it_in_memory, "another's": leave_it_with_another}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_key_that_was_left_is_an_alarm_and_no_receipt(fault: str, ada: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """Night after night while it comes back, and the rows stay to be tried; once it is gone the path goes on."""
    ben = make_life("ben")
    leave, try_keys = FAULTS[fault](ada, ben), erasure.try_keys

    def try_with_fault(row: ErasureRequest) -> bool:
        leave()
        return try_keys(row)

    asked = request_erasure(ada.person.pk)
    with monkeypatch.context() as patch:
        patch.setitem(cast("dict[str, Any]", erasure.STEPS), "keyless", try_with_fault)
        pass_nights(6)
        for _ in range(3):
            pass_nights(1)
            assert request_of(asked).state == "keyless"
            assert request_of(asked).findings > 0  # what the doctor rings for
            assert Story.objects.filter(pk=ada.story.pk).exists()
            with pytest.raises(NoReceipt):
                fetch_receipt(asked.claim_code)
    pass_nights(1)
    run_due()
    assert (request_of(asked).state, request_of(asked).findings) == ("done", 0)
    assert check_receipt(fetch_receipt(asked.claim_code), key=receipt_key())["verification"]["texts_tried"] > 0
    assert_gone(ada)
    assert_intact(ben)


def test_a_key_that_comes_back_later_is_found_by_the_second_look(ada: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the rows are gone nothing can be tried: the keystore is counted, and what is there is destroyed."""
    asked = request_erasure(ada.person.pk)
    leave = leave_the_row(ada, ada)
    with monkeypatch.context() as patch:
        patch.setitem(cast("dict[str, Any]", erasure.STEPS), "cleared", lambda row: (leave(), erasure.verify(row))[1])
        pass_nights(7)
    assert (request_of(asked).state, request_of(asked).findings) == ("keyless", 1)
    pass_nights(1)
    run_due()
    receipt = check_receipt(fetch_receipt(asked.claim_code), key=receipt_key())
    assert receipt["verification"]["texts_tried"] > 0
    assert_gone(ada)


def test_of_many_rows_some_are_tried(ada: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest and the newest of each table, each once, so that a long life is tried as fast as a short one."""
    for number in range(9):
        notify(account=ada.person, text=f"{number}")
    whole = try_to_open(ada.person.pk).texts
    monkeypatch.setattr(verifying, "MOST", 4)
    assert try_to_open(ada.person.pk).texts == whole - 5


def test_no_table_with_sealed_texts_is_left_out(vault: None) -> None:
    """Each leads to the person whose it is; those that open with a cookie alone have no key that could be left."""
    sealed = {model for model in apps.get_models() if any(isinstance(f, SealedField) for f in model._meta.local_fields)}
    assert sealed - set(sealed_models()) == {Session, Doorstep}
    ways = {model.__name__: way_to_owner(model) for model in sealed_models()}
    assert (ways["User"], ways["Turn"], ways["Character"]) == ("pk", "story__owner", "owner")
    for model in sealed_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedField):
                assert Purpose.VERIFY in data_map().entries[field.entry].opened_for, f"{model.__name__}.{field.name}"


@pytest.mark.parametrize("most", [4, 5, 100])
def test_no_row_is_read_twice(ada: Life, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """The oldest and the newest, or all: each once. What is read a second time would be opened a second time."""
    monkeypatch.setattr(verifying, "MOST", most)
    for _ in range(9):
        notify(account=ada.person, text="Something was changed.")
    rows = Notice.objects.filter(account=ada.person)
    with CaptureQueriesContext(connection) as asked:
        found = [row.pk for row in verifying._sample(cast(Any, rows))]
    everything = sorted(rows.values_list("pk", flat=True))
    half = most // 2
    assert found == (everything[:half] + everything[: -half - 1 : -1] if most < 9 else everything)
    assert len(asked) == (1 if most > 9 else 2)
