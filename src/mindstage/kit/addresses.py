"""Addresses of pages, as a person types them."""

from __future__ import annotations

from typing import Final

HERE: Final = frozenset({"127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound


def address_to_open(host: str, port: int) -> str:
    """What a browser on this machine opens, without a slash at its end.

    By name where that is this machine: browsers offer passkeys under a name only, `localhost` among them.
    """
    if host in HERE:
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
