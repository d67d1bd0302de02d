"""The addresses of the program to which a census sent something, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.urls import Resolver404, resolve

_IDENT = re.compile(r"/[0-9a-f]{8}-[0-9a-f-]{27}(?=/|$)")


def name_addresses(paths: Iterable[str]) -> set[str]:
    """Names as the pages give them; of the raw plane the route. What exists nowhere is left out."""
    return {name for path in paths if (name := _name(path))}


def _name(path: str) -> str:
    if path.startswith("/stream/"):
        return _IDENT.sub("/*", path)
    try:
        return resolve(path.partition("?")[0], "mindstage.config.urls").url_name or ""
    except Resolver404:
        return ""
