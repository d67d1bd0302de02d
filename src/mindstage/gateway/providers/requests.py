"""A request to a provider, as the bytes that leave. Pure. docs/decisions/0015"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self
from urllib.parse import quote, urlsplit

CLOSES: Final = {"Connection": "close"}
"""The header that asks for a connection of its own."""
_PORTS: Final = {"http": 80, "https": 443}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class NoSuchPlace(Exception):
    """There can be no such address. Nothing was sent."""


class UnfitHeader(Exception):
    """A header with a sign that none may hold. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which machine is asked, at which port, and whether by TLS."""

    secure: bool
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Post:
    """One request. `keeps`: its connection may serve another one after it."""

    place: Place
    written: bytes
    keeps: bool

    @classmethod
    def json(cls, url: str, headers: Mapping[str, str], body: object) -> Self:
        """A POST of JSON. What leaves is this and nothing else: no name of a program, no cookie, no wish for gzip.

        Raises NoSuchPlace, UnfitHeader.
        """
        place, target = read_url(url)
        if any(_CONTROL.search(value) for value in headers.values()):
            raise UnfitHeader
        content = json.dumps(body).encode()
        lines = [f"POST {target} HTTP/1.1", f"Host: {place.authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}", "", ""]
        return cls(place, "\r\n".join(lines).encode() + content, keeps=not CLOSES.items() <= headers.items())


@lru_cache(maxsize=64)
def read_url(url: str) -> tuple[Place, str]:
    """Whom an http(s) address names, and what is asked for there. Raises NoSuchPlace."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):  # UnicodeError is one of the first
        raise NoSuchPlace from None
    if not host or _CONTROL.search(url):
        raise NoSuchPlace
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    return Place(parts.scheme == "https", host, port), f"{target}?{query}" if query else target
