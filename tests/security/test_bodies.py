"""Slow and large senders cost the house nothing but their own patience."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.urls import reverse

from mindstage.config import bodies
from mindstage.config.bodies import Bodies, BodyRefused


def scope(length: int | str | None, path: str = "/session/new/") -> dict[str, Any]:
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    return {"type": "http", "path": path, "headers": headers}


class Sender:
    """Sends pieces, then nothing any more."""

    def __init__(self, *pieces: bytes, leaves: bool = False) -> None:
        self.pieces = list(pieces)
        self.leaves = leaves
        self.asked = 0

    async def __call__(self) -> dict[str, Any]:
        self.asked += 1
        if self.pieces:
            return {"type": "http.request", "body": self.pieces.pop(0), "more_body": True}
        if self.leaves:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_body_is_handed_over_whole() -> None:
    """What came in pieces reaches the page at once, with nothing more to wait for."""
    receive = await Bodies().gather(scope(6), Sender(b"ab", b"cd", b"ef"))
    assert receive is not None
    assert await receive() == {"type": "http.request", "body": b"abcdef", "more_body": False}


async def test_a_body_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that falls silent holds no thread, and is refused after a time."""
    monkeypatch.setattr(bodies, "SMALL_SECONDS", 0.05)
    with pytest.raises(BodyRefused) as refused:
        await Bodies().gather(scope(500), Sender(b"a"))
    assert refused.value.status == 408


async def test_a_sender_who_leaves_is_forgotten() -> None:
    """Half a body makes no page."""
    assert await Bodies().gather(scope(500), Sender(b"a", leaves=True)) is None


@pytest.mark.parametrize(
    ("length", "path"),
    [
        (bodies.SMALL_BODY_BYTES + 1, "/session/new/"),
        (bodies.CARD_BODY_BYTES + 1, bodies.CARD_PATHS[0]),
        ("9" * 15, "/"),
    ],
)
async def test_what_is_too_large_is_refused_before_it_is_read(length: int | str, path: str) -> None:
    """Only cards may be large, and they too have an end."""
    sender = Sender(b"a")
    with pytest.raises(BodyRefused) as refused:
        await Bodies().gather(scope(length, path), sender)
    assert (refused.value.status, sender.asked) == (413, 0)


@pytest.mark.parametrize("name", ["imports", "characters"])
async def test_a_page_that_takes_files_gets_them_whole(name: str) -> None:
    """A card, and an archive of somebody's data: both pages promise 20 MB."""
    size = 2 * bodies.SMALL_BODY_BYTES
    receive = await Bodies().gather(scope(size, reverse(name)), Sender(bytes(size)))
    assert receive is not None
    assert len((await receive())["body"]) == size


async def test_large_bodies_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a few cards are in the memory at once; small forms pass by them."""
    monkeypatch.setattr(bodies, "CARD_SECONDS", 5.0)
    house = Bodies()
    senders = [Sender(b"a") for _ in range(bodies.CARDS_AT_ONCE + 2)]
    card = scope(bodies.SMALL_BODY_BYTES + 1, bodies.CARD_PATHS[0])
    waiting = [asyncio.ensure_future(house.gather(card, sender)) for sender in senders]
    await asyncio.sleep(0)  # each begins
    assert await house.gather(scope(1), Sender(b"a")) is not None
    assert sum(bool(sender.asked) for sender in senders) == bodies.CARDS_AT_ONCE
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_body_without_a_length_is_not_read() -> None:
    """The framework reads none either, so nobody waits for it."""
    sender = Sender(b"a")
    receive = await Bodies().gather(scope(None), sender)
    assert receive is not None
    assert (await receive())["body"] == b""
    assert sender.asked == 0
