"""No test leaves this machine: the interpreter tells of each connection and each look-up before it is made.

It tells of those in this process. What a test starts as a process of its own is given addresses of loopback alone.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

CONNECTING = ("socket.connect", "socket.sendto", "socket.sendmsg")
LOOKING_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")

_at_home = {"localhost", socket.gethostname(), urlsplit(os.environ.get("TEST_POSTGRES", "")).hostname}
_tried: list[str] = []


class LeftTheMachine(AssertionError):
    """A test was about to reach another machine, or to ask one for a name."""


def stay_here() -> None:
    """Refuse from now on whatever would leave this machine. There is no way back: an audit hook stays."""
    sys.addaudithook(_watch)


def complain() -> None:
    """Raise LeftTheMachine when anything was refused since the last time, though nobody noticed."""
    tried, _tried[:] = list(_tried), []
    if tried:
        raise LeftTheMachine(", ".join(tried))


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if not event.startswith("socket."):
        return
    if event in LOOKING_UP:
        _refuse(event, args[0], is_fine=_needs_no_resolver(args[0]))
    elif event in CONNECTING and isinstance(args[1], tuple):  # else a file's name, or a datagram of a connected socket
        _refuse(event, args[1][0], is_fine=_is_here(args[1][0]))


def _refuse(event: str, host: Any, *, is_fine: bool) -> None:
    if not is_fine:
        _tried.append(f"{event} {host}")
        raise LeftTheMachine(_tried[-1])


def _needs_no_resolver(host: Any) -> bool:
    return not host or _text(host) in _at_home or _address(host) is not None


def _is_here(host: Any) -> bool:
    address = _address(host)
    if address is None:
        return _text(host) in _at_home
    return address.is_loopback or address.is_unspecified or _text(host) in _at_home


def _address(host: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(_text(host))
    except ValueError:
        return None


def _text(host: Any) -> str:
    return host.decode() if isinstance(host, bytes | bytearray) else str(host)
