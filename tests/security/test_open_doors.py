"""The whole program against senders who mean it ill, over the wire."""

from __future__ import annotations

import contextlib
import http.client
import os
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mindstage.ops.http_head import MOST_HANDLES
from system.program import Program, wait_until

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("open-doors")]

SLOW = (
    b"POST /session/new/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: csrf=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 500\r\n\r\na"
)


def connect(program: Program) -> socket.socket:
    return socket.create_connection(("127.0.0.1", program.port), timeout=20)


def status_of(program: Program, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def answers(program: Program) -> bool:
    try:
        return status_of(program, "/") == 200
    except OSError:
        return False


def test_slow_senders_do_not_close_the_house(running_program: Callable[..., Program]) -> None:
    """Twenty forms that never arrive whole leave every page to everybody else."""
    program = running_program()
    held = [connect(program) for _ in range(20)]
    for sender in held:
        sender.sendall(SLOW)
    assert status_of(program, "/") == 200
    for sender in held:
        sender.close()


def test_endless_headers_are_cut_off(running_program: Callable[..., Program]) -> None:
    """A head that does not end is not collected for ever."""
    program = running_program()
    before = psutil.Process(program.pid).memory_info().rss
    line = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1_000) for number in range(1_000))
    with connect(program) as sender, contextlib.suppress(ConnectionError):
        sender.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + line * 50)
        pytest.fail("50 MB of headers were taken")
    assert psutil.Process(program.pid).memory_info().rss - before < 30_000_000
    assert status_of(program, "/") == 200


def test_a_thousand_who_say_nothing_do_not_end_the_program(running_program: Callable[..., Program]) -> None:
    """Out of file handles the house stays open, and has room again when the silent ones are gone."""
    program = running_program()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    few = len(list(Path(f"/proc/{program.pid}/fd").iterdir())) + 10
    resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (few, hard))
    held = [connect(program) for _ in range(60)]
    wait_until(lambda: no_worker_can_start(program), seconds=30)
    for silent in held:
        silent.close()
    wait_until(lambda: answers(program), seconds=10)
    wait_until(lambda: bool(program.children()), seconds=30)


def no_worker_can_start(program: Program) -> bool:
    """One comes a second after the first page; where that is before the handles are gone, the next one is meant."""
    for worker in program.children():
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    return "could not be started" in program.said()


def test_every_file_handle_is_taken_that_the_system_gives(running_program: Callable[..., Program]) -> None:
    """The usual soft limit of 1,024 would end the house at its five hundredth reader."""
    program = running_program()
    soft, hard = resource.prlimit(program.pid, resource.RLIMIT_NOFILE)
    assert soft == min(hard, MOST_HANDLES) if hard != resource.RLIM_INFINITY else soft >= MOST_HANDLES


def test_a_name_that_is_not_ours_gets_no_page(running_program: Callable[..., Program]) -> None:
    """A foreign name that was pointed at this machine (DNS rebinding) reads nothing here."""
    program = running_program()
    assert status_of(program, "/", Host="evil.example") == 400
    assert status_of(program, "/", Host=f"127.0.0.1:{program.port}") == 200
