"""The guard of the tests itself: nothing leaves this machine unnoticed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import pytest

from mindstage.gateway.providers.openai_compatible import Hearing, Request, stream
from no_network import LeftTheMachine, complain

ELSEWHERE = "192.0.2.1"
"""An address that belongs to nobody (RFC 5737)."""


def connect() -> None:
    with socket.socket() as one:
        one.settimeout(0.1)
        one.connect((ELSEWHERE, 80))


def send() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"?", (ELSEWHERE, 53))


def fetch() -> None:
    request = Request(base_url=f"http://{ELSEWHERE}", model="m", messages=(), max_tokens=1)
    asyncio.run(stream(request, Hearing(print), stall_seconds=1))


def look_up() -> None:
    socket.getaddrinfo("somebody.invalid", 80)


def look_up_old() -> None:
    socket.gethostbyname("somebody.invalid")


@pytest.mark.parametrize("leave", [connect, send, fetch, look_up, look_up_old])
def test_a_way_out_is_shut(leave: Callable[[], None]) -> None:
    """Connections, datagrams and look-ups are refused where they are made, by whatever library."""
    with pytest.raises(LeftTheMachine):
        leave()
    with pytest.raises(LeftTheMachine):  # and once more at the end of the test, for what swallowed it
        complain()


def test_what_is_swallowed_is_told_all_the_same() -> None:
    """Code that takes every fault for one of the network does not hide what it has tried."""
    with contextlib.suppress(Exception):
        look_up()
    with pytest.raises(LeftTheMachine, match="somebody"):
        complain()
    complain()


def test_this_machine_is_open() -> None:
    """Loopback by number and by name, and whatever listens on it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, port)).close()
    assert socket.getaddrinfo(ELSEWHERE, 80)
