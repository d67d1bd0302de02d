"""What is answered while old files lie here."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mindstage.config.closed import say_closed


@pytest.mark.parametrize("accepts", [b"text/html", b"*/*"])
def test_a_closed_copy_names_the_command_as_it_is_typed_there(accepts: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a clone no `mindstage` is on PATH; the page and the line of text say what the terminal says."""
    monkeypatch.setenv("MINDSTAGE_CALLED", "bin/mindstage")
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {"headers": [(b"accept", accepts)]}
    asyncio.run(say_closed(scope, send, "Stop Mindstage and run `mindstage restore --replay`."))
    body = sent[1]["body"].decode()
    assert sent[0]["status"] == 503
    assert "bin/mindstage restore --replay" in body
    assert " mindstage restore" not in body
