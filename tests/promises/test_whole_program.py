"""The whole program with its real pages: what it weighs, whom its files are for, and that nothing outlives it."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from mindstage.gateway.ai_models.catalogue import SMOLLM2, locate
from system.program import Start, is_alive, wait_until
from system.visitor import Listener, Visitor

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("promises")]

MIB = 1024
needs_model = pytest.mark.skipif(locate(SMOLLM2, models_dir=Path("/nowhere")) is None, reason="SmolLM2 is not there")


def test_an_idle_web_process_is_small(running_program: Start) -> None:
    """After its first pages the web process holds at most 120 MiB."""
    program = running_program(afresh=True)
    for path in ("/", "/account/new/", "/scenarios/dead-cable/"):
        assert program.get(path)[0] == 200
    said = Path(f"/proc/{program.pid}/status").read_text()
    resident = re.search(r"VmRSS:\s+(\d+) kB", said)
    assert resident
    assert int(resident[1]) <= 120 * MIB


@pytest.mark.narrator
@needs_model
def test_a_killed_program_takes_worker_and_model_with_it(running_program: Start) -> None:
    """SIGKILL in mid-reply: job worker and model are gone at once, and every file was for its owner alone."""
    program = running_program(afresh=True)
    ada = Visitor(program)
    ada.sign_up()
    heard = told(ada.play(ada.begin("dead-cable"), "I listen."))
    children = program.children()
    assert len(children) == 2
    places = [program.data, program.keys, *program.data.rglob("*"), *program.keys.rglob("*")]
    assert {path.suffix for path in places} > {".sqlite3", ".sqlite3-wal", ".sqlite3-shm", ".lock", ".key"}
    for path in places:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert program.process
    program.process.kill()
    wait_until(lambda: not any(map(is_alive, children)), seconds=3)
    assert heard.to_end().done is None


@pytest.mark.narrator
@needs_model
def test_sigterm_in_mid_reply_ends_in_order(running_program: Start) -> None:
    """With a running reply of this machine's model and two readers: both are told, code 0, nobody is left."""
    program = running_program(afresh=True)
    ada = Visitor(program)
    ada.sign_up()
    heard = told(ada.play(ada.begin("dead-cable"), "I listen."))
    assert heard.begun
    second = told(ada.listen(heard.begun["run"]))
    children = program.children()
    assert program.stop() == 0
    assert not any(map(is_alive, children))
    for reader in (heard.to_end(), second.to_end()):
        assert (reader.done or {})["state"] == "interrupted"
    assert "Traceback" not in program.said()


def told(listener: Listener) -> Listener:
    """Wait for the first word."""
    wait_until(lambda: bool(listener.text), seconds=60)
    return listener
