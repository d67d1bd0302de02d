"""Event loops, from other threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def call_on(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *arguments: Any) -> None:
    """Call a function on a loop, from any thread; not at all when the loop is closed: nobody waits there any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function, *arguments)
