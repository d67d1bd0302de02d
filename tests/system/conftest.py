"""Fixtures that start the whole program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from system.program import Program, instance, running_program

__all__ = ["bare_program", "instance", "running_program"]


@pytest.fixture
def bare_program(tmp_path: Path) -> Iterator[Program]:
    """The server around the smallest application: for tests of start, end and process tree. Not started yet."""
    tests = Path(__file__).parent.parent
    environ = {"MINDSTAGE_APPLICATION": "system.bare_application:application", "PYTHONPATH": str(tests)}
    program = Program(tmp_path / "instance", environ)
    yield program
    program.kill()
