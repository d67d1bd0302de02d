"""Tests that share something costly run in one process: a group that is not kept costs minutes, and nothing fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GROUPED = """
import os

import pytest

pytestmark = pytest.mark.xdist_group("costly")


@pytest.mark.parametrize("number", range(6))
def test_one(number):
    with open("processes", "a") as file:
        print(os.getpid(), file=file)
"""


@pytest.mark.system
def test_a_group_runs_in_one_process(tmp_path: Path) -> None:
    """Two processes and six tests of one group: one of the two runs all of them."""
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:django"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    processes = (tmp_path / "processes").read_text().split()
    assert len(processes) == 6
    assert len(set(processes)) == 1
