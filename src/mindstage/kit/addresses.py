"""Addresses of pages, as a person types them."""

from __future__ import annotations

from typing import Final

HERE: Final = frozenset({"127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound

EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
"""No address of its own: who listens there is reached by every address of the machine."""


def as_name(host: str) -> str:
    """A host as it stands in an address, and in the `Host` of a request."""
    return f"[{host}]" if ":" in host else host


def address_to_open(host: str, port: int) -> str:
    """What a browser on this machine opens, without a slash at its end.

    By name where that is this machine: browsers offer passkeys under a name only, `localhost` among them.
    """
    if host in HERE:
        host = "localhost"
    return f"http://{as_name(host)}:{port}"
