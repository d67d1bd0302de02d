"""Slow and large senders cost the house nothing but their own patience."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse

from mindstage.config import bodies
from mindstage.config.bodies import Bodies, BodyRefused
from mindstage.streaming.raw import Receive, Scope

LARGE = bodies.SMALL_BODY_BYTES + 1
CARD = bodies.CARD_PATHS[0]
NOBODY = UUID(int=0)


def scope(length: int | str | None, path: str = "/session/new/", *, of: int = 1) -> dict[str, Any]:
    """`of`: the number of the person who sends it; 0 for somebody who is not logged in."""
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    return {"type": "http", "path": path, "headers": headers, "person": UUID(int=of)}


async def whose(asked: Scope) -> UUID | None:
    return asked["person"] if asked["person"] != NOBODY else None


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


async def gather(asked: Scope, receive: Receive) -> Receive | None:
    """One body alone in its house."""
    async with Bodies(whose).gathered(asked, receive) as gathered:
        return gathered


class Pages:
    """Pages that are made of bodies, and take until `ready`."""

    def __init__(self) -> None:
        self.house = Bodies(whose)
        self.ready = asyncio.Event()
        self.in_hand = 0
        self.made = 0
        self.tasks: list[asyncio.Task[None]] = []

    async def send(self, asked: Scope, sender: Sender) -> Sender:
        """Begin to send; returns when nothing moves any more."""
        self.tasks.append(asyncio.ensure_future(self._make(asked, sender)))
        for _ in range(20):
            await asyncio.sleep(0)
        return sender

    async def _make(self, asked: Scope, sender: Sender) -> None:
        async with self.house.gathered(asked, sender) as gathered:
            assert gathered is not None
            self.in_hand += 1
            await self.ready.wait()
            self.in_hand -= 1
            self.made += 1

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_a_body_is_handed_over_whole() -> None:
    """What came in pieces reaches the page at once, with nothing more to wait for."""
    receive = await gather(scope(6), Sender(b"ab", b"cd", b"ef"))
    assert receive is not None
    assert await receive() == {"type": "http.request", "body": b"abcdef", "more_body": False}


async def test_a_body_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that falls silent holds no thread, and is refused after a time."""
    monkeypatch.setattr(bodies, "SMALL_SECONDS", 0.05)
    with pytest.raises(BodyRefused) as refused:
        await gather(scope(500), Sender(b"a"))
    assert refused.value.status == 408


async def test_a_page_may_take_longer_than_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that a sender has is over once the body is here; what a page does afterwards is not cut off by it."""
    monkeypatch.setattr(bodies, "SMALL_SECONDS", 0.01)
    async with Bodies(whose).gathered(scope(1), Sender(b"a")) as gathered:
        assert gathered is not None
        await asyncio.sleep(0.03)


async def test_a_sender_who_leaves_is_forgotten() -> None:
    """Half a body makes no page."""
    assert await gather(scope(500), Sender(b"a", leaves=True)) is None


@pytest.mark.parametrize(
    ("length", "path"),
    [(LARGE, "/session/new/"), (bodies.CARD_BODY_BYTES + 1, CARD), ("9" * 15, "/")],
)
async def test_what_is_too_large_is_refused_before_it_is_read(length: int | str, path: str) -> None:
    """Only cards may be large, and they too have an end."""
    sender = Sender(b"a")
    with pytest.raises(BodyRefused) as refused:
        await gather(scope(length, path), sender)
    assert (refused.value.status, sender.asked) == (413, 0)


@pytest.mark.parametrize("path", [CARD, "/session/new/"])
async def test_a_stranger_sends_nothing_long(path: str) -> None:
    """Whoever is not logged in is told so before a byte is read: a hundred of them cost no memory."""
    sender = Sender(b"a")
    length = bodies.CARD_BODY_BYTES if path == CARD else bodies.ANYBODYS_BYTES + 1
    with pytest.raises(BodyRefused) as refused:
        await gather(scope(length, path, of=0), sender)
    assert (refused.value.status, sender.asked) == (401, 0)
    assert "not logged in" in refused.value.sentence


async def test_forms_of_the_doorstep_need_nobody() -> None:
    """Signing up and logging in come from people who are not logged in yet."""
    receive = await gather(scope(bodies.ANYBODYS_BYTES, of=0), Sender(bytes(bodies.ANYBODYS_BYTES)))
    assert receive is not None


@pytest.mark.parametrize("name", ["imports", "characters", "picture"])
async def test_a_page_that_takes_files_gets_them_whole(name: str) -> None:
    """A card, an archive of somebody's data, another picture: these pages promise 20 MB."""
    path = reverse(name, args=[NOBODY] if name == "picture" else [])
    receive = await gather(scope(2 * LARGE, path), Sender(bytes(2 * LARGE)))
    assert receive is not None
    assert len((await receive())["body"]) == 2 * LARGE


@pytest.mark.parametrize("arrives", [True, False])
async def test_large_bodies_take_turns(arrives: bool) -> None:
    """No more than a few are in the memory at once, on their way or at their page; small forms pass by them."""
    pages = Pages()
    most = bodies.CARDS_AT_ONCE
    pieces = [bytes(LARGE)] if arrives else [b"a"]
    senders = [await pages.send(scope(LARGE, CARD, of=at + 1), Sender(*pieces)) for at in range(most + 2)]
    assert [bool(sender.asked) for sender in senders] == [True] * most + [False] * 2
    assert pages.in_hand == (most if arrives else 0)
    await pages.send(scope(1, of=0), Sender(b"a"))
    assert pages.in_hand == (most + 1 if arrives else 1)
    pages.ready.set()
    await asyncio.sleep(0.01)
    assert pages.made == (most + 3 if arrives else 1)
    await pages.end()


async def test_one_person_has_one_long_body_at_a_time() -> None:
    """However many one person sends slowly, from however many browsers, the next person is read."""
    pages = Pages()
    own = [await pages.send(scope(LARGE, CARD), Sender(b"a")) for _ in range(bodies.CARDS_AT_ONCE * 2)]
    assert sum(bool(sender.asked) for sender in own) == 1
    other = await pages.send(scope(LARGE, CARD, of=2), Sender(bytes(LARGE)))
    assert other.asked
    assert pages.in_hand == 1
    await pages.end()


async def test_who_has_left_is_not_remembered() -> None:
    """The house keeps no list of who has sent something."""
    house = Bodies(whose)
    async with house.gathered(scope(LARGE, CARD), Sender(bytes(LARGE))):
        assert len(house._persons) == 1
    assert len(house._persons) == 0


async def test_a_body_without_a_length_is_not_read() -> None:
    """The framework reads none either, so nobody waits for it."""
    sender = Sender(b"a")
    receive = await gather(scope(None), sender)
    assert receive is not None
    assert (await receive())["body"] == b""
    assert sender.asked == 0
