"""A fork of a test comes to its end, whatever becomes of the test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ALONE = """
import os, signal, threading
import children

def left_alone():
    os.kill(os.getppid(), signal.SIGKILL)
    threading.Event().wait()

children.SECONDS = 2.0
children.fork_and_wait(left_alone)
"""
SLOW = """
import threading
import children

children.SECONDS = 2.0
children.fork_and_wait(threading.Event().wait)
"""


@pytest.mark.system
@pytest.mark.parametrize("script", [ALONE, SLOW], ids=["alone", "slow"])
def test_a_fork_that_hangs_says_where_and_lets_go_of_its_pipes(script: str) -> None:
    """Also when the process that forked it was killed: whoever reads the pipes of both would wait for ever."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode
    assert "in wait" in done.stderr
