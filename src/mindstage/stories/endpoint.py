"""The raw ASGI plane: take a turn and stream its reply, resume a reply, stop one. docs/subsystems/one-turn.md

Django's middleware does not run here, so this file and streaming/raw.py do what it would: they check the host and that
the request comes from our own pages, find session, account and story, and send the security headers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from django.db import DatabaseError

from mindstage.accounts.sessions import find_session
from mindstage.stories import hot_path, replay, turns
from mindstage.stories.generation import Narration
from mindstage.stories.refusals import (
    CannotStore,
    KeyLost,
    MayBeStored,
    NotSignedIn,
    NotYours,
    Refused,
    TextDamaged,
    TurnTooLong,
)
from mindstage.stories.turns import Taken
from mindstage.stories.write_ahead import LogRefused
from mindstage.streaming import sse
from mindstage.streaming.bus import Channel, Delta, Ending, Event, Progress
from mindstage.streaming.raw import (
    ANYBODYS_BYTES,
    SECURITY_HEADERS,
    Receive,
    Request,
    Scope,
    Send,
    check_origin,
    read_request,
    refuse,
    wait_for_disconnect,
)
from mindstage.vault.keys import KeyGone
from mindstage.vault.sealing import Unreadable

log = logging.getLogger(__name__)

BODY_SECONDS = 30.0
BODY_BYTES = 160_000
"""A turn of 16,000 characters fits, however it is escaped; more is refused before it is read."""


class StreamPlane:
    """The ASGI application for `/stream/…`."""

    def __init__(self, narration: Narration) -> None:
        self.narration = narration
        self.database = narration.database
        self.bus = narration.bus

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = read_request(scope)
        try:
            check_origin(request)
            await self._answer(request, receive, send)
        except Refused as refusal:
            await refuse(send, refusal)
        except KeyGone:
            await refuse(send, KeyLost())
        except Unreadable:
            await refuse(send, TextDamaged())
        except LogRefused:
            await refuse(send, MayBeStored())
        except DatabaseError:
            log.exception("a turn could not be stored")
            await refuse(send, CannotStore())

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        match request.method, *request.path:
            case "POST", "stories", story, "turns":
                await self._take(request, _uuid(story), receive, send)
            case "POST", "stories", story, "replies":
                await self._draw(request, _uuid(story), receive, send)
            case "GET", "runs", run:
                await self._resume(request, _uuid(run), receive, send)
            case "POST", "runs", run, "stop":
                await self._stop(request, _uuid(run), send)
            case _:
                raise NotYours("There is nothing at this address.")

    async def _take(self, request: Request, story: uuid.UUID, receive: Receive, send: Send) -> None:
        body = await self._read_json(request, receive)
        text, mode = turns.check_text(body.get("text")), turns.check_mode(body.get("mode"))
        client_id, segment = _uuid(body.get("client_turn_id")), _optional_uuid(body.get("segment"))

        def job() -> Taken:
            scene = hot_path.enter(cookie=request.cookie, story=story, segment=segment)
            return turns.take_turn(scene=scene, text=text, mode=mode, client_id=client_id)

        await self._begin(request, await self.database.run(job, begin=self.narration.beginning), receive, send)

    async def _draw(self, request: Request, story: uuid.UUID, receive: Receive, send: Send) -> None:
        body = await self._read_json(request, receive)
        act, reply = turns.check_act(body.get("act")), _optional_uuid(body.get("turn"))
        client_id, segment = _uuid(body.get("client_turn_id")), _optional_uuid(body.get("segment"))

        def job() -> Taken:
            scene = hot_path.enter(cookie=request.cookie, story=story, segment=segment)
            if reply is None or act == "go_on":
                return turns.go_on(scene=scene, client_id=client_id)
            return turns.draw_again(scene=scene, reply=reply, client_id=client_id, keep_words=act == "continue")

        await self._begin(request, await self.database.run(job, begin=self.narration.beginning), receive, send)

    async def _read_json(self, request: Request, receive: Receive) -> dict[str, Any]:
        """The body as a JSON object of bounded size, within BODY_SECONDS. Raises Refused."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await self._read_body(request, receive)
        except TimeoutError:
            raise Refused("The request did not arrive in time. Nothing was changed; try again.") from None
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise Refused("The request could not be read. Nothing was changed; reload the page and try again.")
        return content

    async def _read_body(self, request: Request, receive: Receive) -> bytes:
        """The whole body. Of a long one no more is taken before it is known that somebody signed in sends it."""
        body, known = bytearray(), False
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused
            body += message.get("body", b"")
            if len(body) > BODY_BYTES:
                raise TurnTooLong
            if len(body) > ANYBODYS_BYTES and not known:
                known = await self.database.run(partial(find_session, request.cookie), acknowledges=False) is not None
                if not known:
                    raise NotSignedIn
            if not message.get("more_body"):
                return bytes(body)

    async def _begin(self, request: Request, taken: Taken, receive: Receive, send: Send) -> None:
        """Stream the run: the one that this act began, or that a form sent twice has found."""
        channel = self.bus.channels.get(taken.reply.id)
        turn = {"id": str(taken.turn.id), "position": taken.turn.position} if taken.turn else None
        reply = {"id": str(taken.reply.id), "position": taken.reply.position}
        words = len(channel.begins_with) if channel and taken.begins else 0
        begun = {"turn": turn, "reply": reply, "run": str(taken.reply.id), "segment": str(taken.segment), "from": words}
        if channel is None:
            stored = await self.database.run(lambda: replay.stored_reply(taken.scene, taken.reply.id))
            await _start(send, sse.frame("begun", begun))
            await self._send_stored(taken.reply.id, stored, 0, send)
            return
        await _start(send, sse.frame("begun", begun))
        await self._pump(request, channel, words, receive, send)

    async def _resume(self, request: Request, run: uuid.UUID, receive: Receive, send: Send) -> None:
        stored = await self.database.run(lambda: replay.find_run(cookie=request.cookie, run=run), acknowledges=False)
        after = resume_point(request)
        begun = {"turn": None, "reply": {"id": str(run), "position": stored.position}, "run": str(run)}
        await _start(send, sse.frame("begun", begun))
        channel = self.bus.channels.get(run)
        if channel is None:
            await self._send_stored(run, stored, after, send)
        else:
            await self._pump(request, channel, after, receive, send)

    async def _send_stored(self, run: uuid.UUID, stored: replay.StoredReply, after: int, send: Send) -> None:
        """What is stored of a run that is over, with what is left of the time that its narrator named."""
        events = replay.events(stored, after=after, wait=self.bus.left_to_wait(run))
        await send({"type": "http.response.body", "body": b"".join(to_frame(event) for event in events)})

    async def _stop(self, request: Request, run: uuid.UUID, send: Send) -> None:
        await self.database.run(lambda: replay.find_run(cookie=request.cookie, run=run), acknowledges=False)
        self.narration.stop_run(run)
        await send({"type": "http.response.start", "status": 204, "headers": list(SECURITY_HEADERS)})
        await send({"type": "http.response.body"})

    async def _pump(self, request: Request, channel: Channel, after: int, receive: Receive, send: Send) -> None:
        """Send what comes until the run ends, or the reader leaves or is logged out: that ends no run."""
        reading = asyncio.ensure_future(self._send_channel(channel, after, send))
        leaving = asyncio.ensure_future(wait_for_disconnect(receive))
        with self.narration.readers.reading(request.cookie, reading):
            try:
                await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
                logged_out = reading.cancelled()
            finally:
                for task in (reading, leaving):
                    task.cancel()
                await asyncio.gather(reading, leaving, return_exceptions=True)
        if logged_out:
            await send({"type": "http.response.body", "body": b""})

    async def _send_channel(self, channel: Channel, after: int, send: Send) -> None:
        async for event in self.bus.read(channel, after=after):
            goes_on = not isinstance(event, Ending)
            await send({"type": "http.response.body", "body": to_frame(event), "more_body": goes_on})


def resume_point(request: Request) -> int:
    """How many characters the reader has: Last-Event-ID of an EventSource, or `?after=` of our own script."""
    told = request.headers.get(b"last-event-id") or dict(parse_qsl(request.query)).get(b"after", b"")
    return sse.resume_point(told.decode("latin-1"))


def to_frame(event: Event) -> bytes:
    """An event of the bus as a frame; the number of a delta counts the characters of the reply so far."""
    match event:
        case Delta(text, length):
            return sse.frame("delta", {"text": text}, ident=length)
        case Progress(say, share):
            return sse.frame("progress", {"say": say, "share": share})
        case Ending(state, say, retry, retry_after):
            return sse.frame("done", {"state": state, "say": say, "retry": retry, "retry_after": retry_after})
        case _:
            return sse.KEEP_ALIVE


def _uuid(text: object) -> uuid.UUID:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        raise NotYours("There is nothing at this address.") from None


def _optional_uuid(text: object) -> uuid.UUID | None:
    return None if text is None else _uuid(text)


async def _start(send: Send, first: bytes) -> None:
    headers = [*sse.HEADERS, *SECURITY_HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": first, "more_body": True})
