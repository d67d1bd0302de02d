"""Keys are made before rows, found through a short cache, and forgotten when the keystore says so."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db.models import F

from mindstage.kit import clock
from mindstage.vault import keys
from mindstage.vault.models import ItemKey, Keystore, UserKey

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]


def test_a_key_comes_back_after_everything_was_forgotten() -> None:
    """What is in the keystore and the keys folder is enough to open again."""
    account, story = uuid.uuid4(), uuid.uuid4()
    keys.create_user_key(account)
    keys.create_item_key(story, owner=account)
    before = keys.item_key(story)
    keys.close_vault()
    assert keys.item_key(story) == before


def test_an_item_key_needs_a_living_owner() -> None:
    """No key is made for somebody whose own key is gone."""
    with pytest.raises(keys.KeyGone):
        keys.create_item_key(uuid.uuid4(), owner=uuid.uuid4())
    assert not ItemKey.objects.exists()


def test_a_destroyed_key_is_gone_from_the_cache_at_once() -> None:
    """Every opening compares the keystore's count: five minutes are the most, not the least."""
    account = uuid.uuid4()
    keys.create_user_key(account)
    keys.user_key(account)
    UserKey.objects.all().delete()
    assert keys.user_key(account)  # nobody has told the processes yet
    Keystore.objects.update(forgotten=F("forgotten") + 1)
    with pytest.raises(keys.KeyGone):
        keys.user_key(account)


def test_a_cached_key_lives_five_minutes() -> None:
    account = uuid.uuid4()
    keys.create_user_key(account)
    keys.user_key(account)
    UserKey.objects.all().delete()
    with clock.moved(timedelta(seconds=keys.CACHE_SECONDS - 1)):
        assert keys.user_key(account)
    with clock.moved(timedelta(seconds=keys.CACHE_SECONDS + 1)), pytest.raises(keys.KeyGone):
        keys.user_key(account)


def test_wrapped_keys_hold_no_key_in_clear() -> None:
    account, story = uuid.uuid4(), uuid.uuid4()
    keys.create_user_key(account)
    keys.create_item_key(story, owner=account)
    stored = b"".join(bytes(row.wrapped) for row in [*UserKey.objects.all(), *ItemKey.objects.all()])
    assert keys.user_key(account) not in stored
    assert keys.item_key(story) not in stored
