"""Whose tries are counted together: those of one network, as far as somebody trustworthy tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import RequestFactory

from mindstage.accounts.rate_limits import network_of
from mindstage.accounts.views.answers import network_here

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]


def asking(told: str | None) -> bytes:
    headers = {} if told is None else {"X-Forwarded-For": told}
    return network_here(RequestFactory(headers=headers).post("/session/new/", REMOTE_ADDR="127.0.0.1"))


def test_nobody_changes_their_network_by_a_header() -> None:
    """Without a proxy in the configuration the header is what anybody may write."""
    assert asking("203.0.113.9") == asking(None) == network_of("127.0.0.1")


def test_behind_a_proxy_people_are_told_apart(settings: Any) -> None:
    """One person's wrong tries do not close the door to everybody who comes through the same proxy."""
    settings.MINDSTAGE = replace(settings.MINDSTAGE, https=True)
    assert asking("203.0.113.9") == network_of("203.0.113.9")
    assert asking("198.51.100.7, 203.0.113.9") == network_of("203.0.113.9"), "the last is the proxy's own word"
    assert asking(None) == network_of("127.0.0.1")
