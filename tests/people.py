"""People for tests: `ada` owns, `ben` has things of his own, `cleo` may see nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from mindstage.accounts.models import AgeBand, User
from mindstage.accounts.sessions import begin_session
from mindstage.accounts.sign_up import sign_up

PASSPHRASE = "four words of velvet"


def make_person(
    handle: str = "ada", *, passphrase: str = PASSPHRASE, age_band: str = AgeBand.ADULT, owner_link: str = ""
) -> User:
    """An account, with its key. Needs the fixture `vault` and both databases."""
    return sign_up(handle=handle, passphrase=passphrase, age_band=age_band, owner_link=owner_link)


def signed_in_client(person: User, *, enforce_csrf_checks: bool = False) -> Client:
    """A browser in which a person is signed in."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.cookies[settings.SESSION_COOKIE_NAME] = begin_session(person, "computer")
    return client


def count_questions(deed: Callable[[], Any]) -> tuple[Any, dict[str, int]]:
    """What a deed gives, and how many queries it put to each database."""
    with ExitStack() as stack:
        asked = {name: stack.enter_context(CaptureQueriesContext(connections[name])) for name in connections}
        result = deed()
    return result, {name: len(queries) for name, queries in asked.items()}
