"""What somebody keeps for stories, like a character: its key comes first, it lies in the trash, and it truly goes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from library import card_makers as make
from mindstage.accounts.freezing import freeze_account, thaw_account
from mindstage.accounts.models import User
from mindstage.library.characters import import_character
from mindstage.library.contents import Kind
from mindstage.library.holdings import LibraryHolding
from mindstage.library.materials import correct_material, make_material
from mindstage.library.models import Character, Material
from mindstage.library.trash import take_out_item, trash_item
from mindstage.rights.trash import end_due, list_trash
from mindstage.vault.clocks import slow_date
from mindstage.vault.keys import KeyGone
from mindstage.vault.marks import database_mark
from mindstage.vault.models import ItemKey, Keystore
from people import make_person

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]
DAY = timedelta(days=1)
HOLDING = LibraryHolding()


def character(owner: uuid.UUID) -> Character:
    return import_character(owner=owner, data=make.to_json(make.v1()))


def material(owner: uuid.UUID) -> Material:
    return make_material(owner=owner, kind="persona", name="Mara")


BOTH = pytest.mark.parametrize("bring", [character, material])
type Bring = Callable[[uuid.UUID], Character | Material]


@pytest.fixture
def ada() -> uuid.UUID:
    return make_person("ada").pk


def is_there(item: Character | Material) -> bool:
    return type(item)._default_manager.filter(pk=item.pk).exists()


def days_pass(days: int) -> None:
    """By the date that the trash goes by."""
    Keystore.objects.using("keystore").update(slow_date=slow_date() + days * DAY)
    end_due()


@BOTH
def test_its_key_is_made_before_its_row(ada: uuid.UUID, bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between the two leaves a key without a row, never a row that nobody can read."""

    def crash(*_: object, **__: object) -> None:
        raise SystemExit

    for model in (Character, Material):
        monkeypatch.setattr(model, "save", crash)
    with pytest.raises(SystemExit):
        bring(ada)
    assert ItemKey.objects.count() == 1


@BOTH
def test_a_frozen_account_keeps_nothing_new(ada: uuid.UUID, bring: Bring) -> None:
    """Also when it is frozen after the key was made: no row comes into an account that may be ending."""
    User.objects.update(state=User.State.FROZEN)
    with pytest.raises(KeyGone):
        bring(ada)
    assert (Character.objects.count(), Material.objects.count()) == (0, 0)


@BOTH
def test_each_deed_counts_the_database(ada: uuid.UUID, bring: Bring) -> None:
    """So that an older file in its place is noticed at the next start."""
    ages = [database_mark().generation]
    item = bring(ada)
    ages.append(database_mark().generation)
    if isinstance(item, Material):
        correct_material(material=item, texts={"about": "She waits."}, seen={})
        ages.append(database_mark().generation)
    trash_item(item)
    ages.append(database_mark().generation)
    assert ages == sorted(set(ages))


@BOTH
def test_it_lies_in_the_trash_for_thirty_days(ada: uuid.UUID, bring: Bring) -> None:
    """And no day more; what is not in the trash stays."""
    item, other = bring(ada), bring(ada)
    trash_item(item)
    days_pass(29)
    assert is_there(item)
    days_pass(1)
    assert (is_there(item), is_there(other)) == (False, True)
    assert ItemKey.objects.get().pk == other.pk


@BOTH
def test_it_waits_while_its_account_is_frozen(ada: uuid.UUID, bring: Bring) -> None:
    """A thaw leaves it a week at least."""
    item = bring(ada)
    trash_item(item)
    freeze_account(ada)
    days_pass(40)
    assert is_there(item)
    thaw_account(ada)
    assert [one.days_left for one in list_trash(ada)] == [7]
    days_pass(6)
    assert is_there(item)
    days_pass(1)
    assert not is_there(item)


@BOTH
def test_after_a_restore_it_has_its_full_time_again(ada: uuid.UUID, bring: Bring) -> None:
    """And its owner is told of what, in its own words."""
    items, other = [bring(ada), bring(ada)], bring(ada)
    for item in items:
        trash_item(item)
    days_pass(20)
    (told,) = HOLDING.rearm(slow_date())
    words = "personas" if isinstance(other, Material) else "characters"
    assert (told.owner, told.count) == (ada, 2)
    assert told.words.startswith(f"2 {words} in the trash")
    assert [one.days_left for one in list_trash(ada)] == [30, 30]
    other.refresh_from_db()
    assert other.trashed_on is None


@BOTH
def test_the_ledger_takes_it_out_of_the_trash_again(ada: uuid.UUID, bring: Bring) -> None:
    """Its *keep*, played after a restore; but not once its end has begun."""
    item, ending = bring(ada), bring(ada)
    for one in (item, ending):
        trash_item(one)
    type(ending)._default_manager.filter(pk=ending.pk).update(ending=True)
    for one in (item, ending):
        HOLDING.keep(one.pk)
        one.refresh_from_db()
    assert (item.trashed_on is None, ending.trashed_on is None) == (True, False)
    assert not take_out_item(type(ending), ending.pk)


@BOTH
def test_its_room_names_counts_and_clears_it(ada: uuid.UUID, bring: Bring) -> None:
    """For the ledger, for the progress of an export, for an erasure and for who looks after it."""
    ben = make_person("ben").pk
    item, other = bring(ada), bring(ben)
    assert set(HOLDING.subjects()) == {item.pk, other.pk}
    assert HOLDING.weigh(ada) == 1
    (left,) = HOLDING.remains(ada)
    assert left.count == 1
    HOLDING.erase(ada)
    assert (HOLDING.remains(ada), is_there(item), is_there(other)) == ([], False, True)


def test_what_ends_is_in_no_archive(ada: uuid.UUID) -> None:
    """Its key may be gone the next moment."""
    rows = [make_material(owner=ada, kind=kind, name="Mara") for kind in Kind]
    for row in rows:
        trash_item(row)
    assert len([name for name, _ in HOLDING.export(ada) if name.endswith("material.json")]) == len(rows)
    Material.objects.update(ending=True)
    assert list(HOLDING.export(ada)) == []
