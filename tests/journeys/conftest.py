"""The whole program with a scripted narrator, shared by the journeys; and visitors, each in a browser of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from browser import Browsers, chromium, open_browsers  # noqa: F401  a fixture
from fakes.provider import Finish, Text, ThreadedFakeProvider
from journeys.visitor import Visitor
from system.program import CHEAP, Program, Start, provider_toml, running_program

__all__ = ["running_program"]

USUAL = "The bell hums under your palm, *very* low. Marit Sool puts the brush down and waits."
Come = Callable[..., Visitor]


@pytest.fixture(scope="package")
def browsers() -> Iterator[Browsers]:
    """One browser for all journeys, which follow each other in one process and hold no asynchronous test."""
    yield from open_browsers()


@pytest.fixture(scope="package")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, ThreadedFakeProvider]]:
    """One program for all journeys, in which each visitor is somebody else: starting one for each would take longer
    than they do."""
    folder: Path = tmp_path_factory.mktemp("theatre")
    with ThreadedFakeProvider() as provider:
        environ = {"FAKE_KEY": "key-of-the-fake", **CHEAP}
        program = Program(folder, environ, provider_toml(provider.base_url), forked=True).start()
        yield program, provider
        program.kill()


@pytest.fixture
def program(theatre: tuple[Program, ThreadedFakeProvider]) -> Program:
    return theatre[0]


@pytest.fixture
def narrator(theatre: tuple[Program, ThreadedFakeProvider]) -> ThreadedFakeProvider:
    """The scripted narrator: `narrator.play(...)` for the next reply, `narrator.always(...)` for all others."""
    provider = theatre[1]
    provider._scripts.clear()
    provider.release()
    provider.always(Text(USUAL), Finish())
    return provider


@pytest.fixture
def come(chromium: Browser, running_program: Start, request: pytest.FixtureRequest) -> Iterator[Come]:  # noqa: F811
    """Let somebody come: `come()` to the shared theatre, or `come(address)`. Complaints fail the test at its end.

    Programs of a test's own are asked for here so that they are stopped after everybody has left: what a page still
    asks of a program that is gone would be a complaint.
    """
    with ExitStack() as leaving:  # everybody leaves, also after somebody who complains

        def arrive(address: str = "", **options: Any) -> Visitor:
            address = address or request.getfixturevalue("program").address
            visitor = Visitor(chromium, address, **options)
            leaving.callback(visitor.leave)
            return visitor

        yield arrive


@pytest.fixture
def player(come: Come, narrator: ThreadedFakeProvider) -> Visitor:
    """Somebody who has just begun a story with the scripted narrator."""
    visitor = come()
    visitor.settle()
    return visitor
