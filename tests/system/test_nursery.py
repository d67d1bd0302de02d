"""A program that was forked off the nursery is as one that an interpreter was started for."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from system.nursery import AHEAD, Forked, can_fork
from system.program import CHEAP, Program, Start, cheap_with, is_alive, wait_until

pytestmark = pytest.mark.system

ASKS_NOTHING = f"""
from importlib import import_module
for name in {AHEAD!r}:
    import_module(name)
from django.apps import apps
from django.conf import settings
assert not settings.configured and not apps.ready and not apps.all_models
"""


def test_nothing_of_an_instance_is_known_before_the_fork() -> None:
    """No settings, no models: what one program is told cannot reach the next."""
    subprocess.run([sys.executable, "-c", ASKS_NOTHING], check=True, timeout=60, env={"PATH": "/usr/bin:/bin"})


def test_it_is_the_same_program(tmp_path: Path) -> None:
    """Other folders and streams, the same words and exit codes; what is typed comes to it."""
    for asked, typed in ((["models", "list"], ""), (["--help"], ""), (["keys", "restore"], "1: none\n"), (["no"], "")):
        forked, afresh = (Program(tmp_path / "here", forked=each).run(*asked, typed=typed) for each in (True, False))
        assert (forked.returncode, forked.stdout) == (afresh.returncode, afresh.stdout)


def test_it_is_told_how_a_program_ended(running_program: Start) -> None:
    """In order, by a signal, and with whatever it had started."""
    program = running_program(environ=CHEAP)
    assert isinstance(program.process, Forked)
    assert program.process.poll() is None
    assert program.stop() == 0
    program.start()
    wait_until(lambda: bool(program.children()), seconds=10)
    children = program.children()
    program.process.kill()
    assert program.process.wait(10) == -signal.SIGKILL
    wait_until(lambda: not any(map(is_alive, children)), seconds=3)


def test_what_an_interpreter_would_find_elsewhere_is_not_forked(tmp_path: Path) -> None:
    """A folder with a sitecustomize.py: only an interpreter of its own reads it."""
    assert can_fork({})
    assert can_fork(CHEAP)
    assert not can_fork(cheap_with(tmp_path))
