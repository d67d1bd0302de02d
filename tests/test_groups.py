"""Tests that share something costly run in one process: a group that is not kept costs minutes, and nothing fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

GROUPED = """
import os

import pytest

pytestmark = pytest.mark.{mark}


@pytest.mark.parametrize("number", range(6))
def test_one(number):
    with open("processes", "a") as file:
        print(os.getpid(), file=file)
"""


@pytest.mark.system
@pytest.mark.parametrize("mark", ['xdist_group("costly")', "narrator"])
def test_a_group_runs_in_one_process(tmp_path: Path, mark: str) -> None:
    """Two processes and six tests of one group, named or by what they need: one of the two runs all of them."""
    (tmp_path / "test_grouped.py").write_text(GROUPED.replace("{mark}", mark))
    (tmp_path / "conftest.py").write_text("from groups import pytest_collection_modifyitems\n")
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {Path(__file__).parent}\nmarkers = narrator\n")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:django"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    processes = (tmp_path / "processes").read_text().split()
    assert len(processes) == 6
    assert len(set(processes)) == 1


ASKING = """
import pytest

@pytest.fixture
def db():
    pass

@pytest.fixture
def vault(db):
    pass

def test_of_rows(vault): pass
@pytest.mark.drill
def test_with_a_store_of_its_own(): pass
def test_of_nothing_but_text(): pass
"""


@pytest.mark.system
@pytest.mark.parametrize(("server", "told"), [("", "3 passed"), ("postgresql://anywhere", "2 passed, 1 deselected")])
def test_what_asks_for_no_database_runs_once(tmp_path: Path, server: str, told: str) -> None:
    """On a server those tests run again that something is different for; all of them run without one."""
    (tmp_path / "test_asking.py").write_text(ASKING)
    (tmp_path / "conftest.py").write_text("from groups import pytest_collection_modifyitems\n")
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {Path(__file__).parent}\nmarkers = drill\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:django"]
    environ = os.environ | {"TEST_POSTGRES": server}
    done = subprocess.run(command, cwd=tmp_path, env=environ, check=True, capture_output=True, text=True)
    assert told in done.stdout
