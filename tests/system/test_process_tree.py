"""One process tree: it comes up, drains in 5 s, and dies together."""

from __future__ import annotations

import http.client
import os
import signal
import stat
from pathlib import Path

import pytest

from mindstage.ops import serve
from system.program import Program, children_of, is_alive, wait_until

pytestmark = pytest.mark.system


def test_health_says_ready(bare_program: Program) -> None:
    """When the program says that it is ready, /healthz answers."""
    bare_program.start()
    assert bare_program.get("/healthz") == (200, b'{"ready": true}')


def test_an_owner_link_until_there_is_an_owner(bare_program: Program) -> None:
    """The first start prints a one-time link; it is printed once and is nowhere in the data folder."""
    bare_program.start()
    assert bare_program.owner_path
    assert bare_program.said().count("/owner/") == 1
    bare_program.stop()
    token = bare_program.owner_path.split("/")[2].encode()
    assert not [path for path in bare_program.folder.rglob("*") if path.is_file() and token in path.read_bytes()]


def test_whoever_opens_it_to_the_network_hears_what_is_missing(bare_program: Program) -> None:
    """`--host 0.0.0.0` alone answers nobody by the address that they type; the terminal says what to write down."""
    bare_program.start("--host", "0.0.0.0")
    assert bare_program.stop() == 0
    assert bare_program.said().count("allowed_hosts") == 1
    bare_program.toml = 'allowed_hosts = ["attic.lan"]'
    bare_program.start("--host", "0.0.0.0")
    assert bare_program.said().count("allowed_hosts") == 1


def test_everything_is_for_its_owner_alone(bare_program: Program) -> None:
    """Every folder is 0700 and every file 0600, whatever the umask of the shell."""
    os.umask(0o022)
    bare_program.start()
    wait_until(lambda: bool(bare_program.children()), seconds=10)
    places = [bare_program.data, bare_program.keys, *bare_program.data.rglob("*"), *bare_program.keys.rglob("*")]
    assert len(places) > 8
    for path in places:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_time_to_drain_is_under_five_seconds() -> None:
    """After so long the program cuts off whatever is left. What an end really takes: docs/subsystems/serving.md."""
    assert serve.DRAIN_SECONDS < serve.LAST_SECONDS < 5


def test_sigterm_drains_and_ends_with_zero(bare_program: Program) -> None:
    """SIGTERM ends the whole tree with exit code 0, also while an answer is streaming that has no end."""
    bare_program.start()
    wait_until(lambda: bool(bare_program.children()), seconds=10)
    children = bare_program.children()
    connection = http.client.HTTPConnection("127.0.0.1", bare_program.port, timeout=10)
    connection.request("GET", "/slow")
    assert connection.getresponse().read(5) == b"word "
    assert bare_program.stop() == 0
    assert not any(is_alive(child) for child in children)
    connection.close()


def test_an_end_that_hangs_is_cut_off(bare_program: Program) -> None:
    """Also when the application never finishes its own end, the tree is gone."""
    bare_program.start()
    bare_program.get("/hang")
    assert bare_program.stop() == 0


def test_ctrl_c_ends_with_zero(bare_program: Program) -> None:
    """Ctrl-C in the terminal is as orderly as SIGTERM, and prints no traceback."""
    bare_program.start()
    assert bare_program.process
    bare_program.process.send_signal(signal.SIGINT)
    assert bare_program.process.wait(8) == 0
    assert "Traceback" not in bare_program.said()


def test_children_die_with_a_killed_parent(bare_program: Program) -> None:
    """SIGKILL of the parent leaves no job worker behind for longer than 2 s."""
    bare_program.start()
    wait_until(lambda: bool(bare_program.children()), seconds=10)
    children = bare_program.children()
    assert bare_program.process
    bare_program.process.kill()
    wait_until(lambda: not any(is_alive(child) for child in children), seconds=2)


def test_a_fallen_worker_is_started_again(bare_program: Program) -> None:
    """A job worker that is killed comes back."""
    bare_program.start()
    wait_until(lambda: bool(bare_program.children()), seconds=10)
    first = bare_program.children()
    os.kill(first[0], signal.SIGKILL)
    wait_until(lambda: bool(set(bare_program.children()) - set(first)), seconds=15)


def test_killed_and_started_again(bare_program: Program) -> None:
    """After SIGKILL the same data folder is served again at once."""
    bare_program.start()
    bare_program.kill()
    bare_program.start()
    assert bare_program.get("/healthz")[0] == 200


def test_no_core_dump(bare_program: Program) -> None:
    """Neither the web process nor the worker may leave a core file with open keys."""
    bare_program.start()
    wait_until(lambda: bool(children_of(bare_program.pid)), seconds=10)
    for pid in (bare_program.pid, *children_of(bare_program.pid)):
        wait_until(lambda pid=pid: _core_limit(pid) == "0", seconds=10)


def _core_limit(pid: int) -> str:
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line.split()[4] for line in limits if line.startswith("Max core file size"))
