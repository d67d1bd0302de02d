"""What every test may ask for: a vault with keys, and the folders of this run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.db import connections
from hypothesis import settings

from garbage import look_seldom, pytest_collection_finish  # noqa: F401  a hook
from groups import pytest_collection_modifyitems  # noqa: F401  a hook
from no_network import complain, stay_here
from watchdog import pytest_configure, pytest_exception_interact  # noqa: F401  hooks

# A machine that does other things as well is slow now and then; no promise is about how long one example takes.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
stay_here()
look_seldom()
if os.environ.get("TEST_POSTGRES"):
    from emptying import delete_what_was_written

    delete_what_was_written()


def pytest_make_parametrize_id(val: object) -> str | None:
    """A long text is called by its beginning and its length: names travel between the processes of a run."""
    return f"{val[:20]!a} and on, {len(val)}" if isinstance(val, str | bytes) and len(val) > 80 else None


@pytest.fixture(autouse=True)
def nobody_leaves() -> Iterator[None]:
    """What was refused (no_network) fails the test also where the program has taken it for a fault of the network."""
    yield
    complain()


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """What another test opened is not counted in this one: storing it asks a keystore that this test may not have."""
    from mindstage.accounts import access_counts

    access_counts._waiting.clear()


@pytest.fixture(autouse=True)
def only_declared_databases(request: pytest.FixtureRequest) -> Iterator[None]:
    """Raw queries go through Django's cursor for a database that a test has not declared: there it is refused."""
    marker = request.node.get_closest_marker("django_db")
    declared = marker.kwargs.get("databases") or ["default"] if marker else "__all__"
    with ExitStack() as watched:
        if declared != "__all__":
            for connection in connections.all():
                if connection.alias not in declared:
                    watched.enter_context(connection.execute_wrapper(pass_on))
        yield


def pass_on(execute: Callable[..., object], *query: object) -> object:
    return execute(*query)


@pytest.fixture
def vault(db: None) -> Iterator[None]:
    """Root key, epoch file and keystore, new for this test."""
    from instances import found_instance
    from mindstage.vault.keys import close_vault

    found_instance()
    yield
    close_vault()
