"""pytest's watchdog over tests that hang, also over what comes after a failure."""

from __future__ import annotations

import faulthandler
import os

import pytest

_terminal: list[int] = []


def pytest_configure() -> None:
    """Keep the way to the terminal, before anything of a test is caught."""
    if not _terminal:
        _terminal.append(os.dup(2))


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """Set the watchdog again: pytest calls it off at a failure, for a debugger, and just then what follows may hang."""
    seconds = float(node.config.getini("faulthandler_timeout") or 0)
    if seconds and isinstance(node, pytest.Item):  # whose end calls it off
        exits = node.config.getini("faulthandler_exit_on_timeout")
        faulthandler.dump_traceback_later(seconds, file=_terminal[0], exit=exits)
