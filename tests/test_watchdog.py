"""A run of tests comes to its end, whatever hangs in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
HANGS = """
import threading
import pytest

@pytest.fixture
def never_put_away():
    yield
    threading.Event().wait()

def test_fails(never_put_away):
    assert False, "so that pytest calls its watchdog off"
"""


@pytest.mark.system
def test_what_hangs_after_a_failure_is_named_and_ended(tmp_path: Path) -> None:
    """The end of a test that has failed: its process ends, and says in which function it stood."""
    (tmp_path / "test_hangs.py").write_text(HANGS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfaulthandler_timeout = 5\nfaulthandler_exit_on_timeout = true\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "watchdog", "-p", "no:cacheprovider", "test_hangs.py"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TESTS), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 1
    assert "in never_put_away" in done.stderr
