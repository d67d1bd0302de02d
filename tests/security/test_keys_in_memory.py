"""Unwrapped keys stay five minutes in the memory, also those of people who never come again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mindstage.kit import clock, ids
from mindstage.vault import keys, sealing
from mindstage.vault.keys import CACHE_SECONDS, SWEEP_SECONDS, create_user_key, forget_keys, forget_old_keys, user_key

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def somebody(vault: None) -> object:
    forget_keys()
    account = ids.unordered()
    create_user_key(account)
    user_key(account)
    return account


def test_keys_of_people_who_left_are_dropped(somebody: object) -> None:
    """Nobody has to ask for a key again to have it forgotten."""
    with clock.moved(timedelta(seconds=CACHE_SECONDS - SWEEP_SECONDS)):
        forget_old_keys()
    assert somebody not in keys._cache.keys
    assert sealing._aead.cache_info().currsize == 0


def test_keys_in_use_are_kept(somebody: object) -> None:
    """A sweep does not slow down whoever is playing."""
    forget_old_keys()
    assert somebody in keys._cache.keys


def test_a_clock_set_back_keeps_no_key(somebody: object) -> None:
    """A key from the future is no younger for it."""
    with clock.moved(timedelta(hours=-1)):
        forget_old_keys()
    assert somebody not in keys._cache.keys
