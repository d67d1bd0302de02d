"""`bin/dev`: whoever changes a file sees it without a second thought."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import pytest

from system.program import children_of, is_alive, wait_until

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("promises")]

DEVELOP = """
import sys
from pathlib import Path
from mindstage.ops import development
development.SOURCE, development.FAKE_PORT, development.LOOK_SECONDS = Path(sys.argv[1]), int(sys.argv[2]), 0.1
development.main([sys.argv[3], "--port", "0"])
"""


def listen(output: IO[str], said: list[str]) -> None:
    for line in output:
        said.append(line)


def test_a_changed_file_starts_the_program_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same data are served anew; and server and fake narrator end with it, though it is killed."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.setenv("MINDSTAGE_APPLICATION", "system.bare_application:application")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    source = tmp_path / "source"
    source.mkdir()
    (source / "room.py").write_text("first = 1\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", DEVELOP, str(source), str(port), str(tmp_path / "dev")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said: list[str] = []
    assert process.stdout
    listener = threading.Thread(target=listen, args=(process.stdout, said), daemon=True)
    listener.start()

    def served() -> int:
        return sum("Mindstage is ready" in line for line in said)

    try:
        wait_until(lambda: served() == 1, seconds=40)
        (source / "room.py").write_text("second = 22\n")
        wait_until(lambda: served() == 2, seconds=40)
        assert "A file changed: starting again.\n" in said
        children = children_of(process.pid)
        assert len(children) == 2
        process.kill()
        wait_until(lambda: not any(map(is_alive, children)), seconds=10)
    finally:
        process.kill()
        process.wait()
        listener.join(20)
        assert not listener.is_alive(), "somebody outlives it"
        process.stdout.close()
