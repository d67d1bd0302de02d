"""Unwrapped keys stay five minutes in the memory, also those of people who never come again, or leave before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError

from mindstage.accounts.freezing import freeze_account
from mindstage.accounts.models import User
from mindstage.kit import clock, ids
from mindstage.vault import keys, sealing
from mindstage.vault.keys import CACHE_SECONDS, SWEEP_SECONDS, create_user_key, forget_keys, forget_old_keys, user_key
from people import make_person, signed_in_client

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


def log_out(person: User) -> None:
    assert signed_in_client(person).post("/session/end/").status_code == 302


def freeze(person: User) -> None:
    freeze_account(person.pk)


@pytest.mark.parametrize("leave", [log_out, freeze])
def test_no_process_goes_on_with_a_key_after_its_person_left(
    vault: None, leave: Callable[[User], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither this one nor another, which has the key in its memory and hears of nothing but the keystore's count."""
    ada = make_person("ada")
    user_key(ada.pk)
    of_another = keys._Cache(keys._cache.forgotten, dict(keys._cache.keys))
    leave(ada)
    assert ada.pk not in keys._cache.keys
    monkeypatch.setattr(keys, "_cache", of_another)
    unwrapped: list[object] = []
    monkeypatch.setattr(keys, "_unwrap_user_key", lambda account: unwrapped.append(account) or b"k" * 32)
    user_key(ada.pk)
    assert unwrapped == [ada.pk]


class Locked:
    """A keystore that cannot be written to."""

    class objects:
        @staticmethod
        def using(_: str) -> None:
            raise OperationalError("database is locked")


def test_a_keystore_that_cannot_be_written_keeps_nobody_from_leaving(
    vault: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log-out and the freeze are done, and this process has forgotten."""
    ada = make_person("ada")
    user_key(ada.pk)
    monkeypatch.setattr(keys, "Keystore", Locked)
    log_out(make_person("ben"))
    freeze_account(ada.pk)
    assert not keys._cache.keys
    assert User.objects.get(pk=ada.pk).state == User.State.FROZEN
