"""The stream plane on a loop of its own, with its database thread and a fake provider, and browsers that read it.

Tests stay in their own thread, so that they may use Django's ORM between two steps of a stream.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from django.conf import settings

from fakes.provider import FakeProvider
from mindstage.config.configuration import ProviderEntry
from mindstage.gateway import converse
from mindstage.stories.database_thread import BatchLost, DatabaseThread, start_database_thread, stop_database_thread
from mindstage.stories.endpoint import StreamPlane
from mindstage.stories.form_turns import open_door
from mindstage.stories.generation import Narration
from mindstage.stories.models import Story
from mindstage.streaming.bus import Bus
from stories.scenes import Player, new_id

PATIENCE = 10.0
KEY = "sk-the-key-of-this-house"
ORIGIN = "http://localhost:8470"
OURS = {"host": "localhost:8470", "origin": ORIGIN, "sec-fetch-site": "same-origin"}


class House:
    """`with House(settings) as house:` what a process holds between its start and its end."""

    provider: FakeProvider
    narration: Narration
    plane: StreamPlane
    database: DatabaseThread

    def __init__(self, overriding: Any) -> None:
        self.settings = overriding
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="house", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    async def _live(self) -> None:
        self.loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with FakeProvider() as self.provider:
            self.configure(base_url=self.provider.base_url)
            self.database = start_database_thread()
            self.narration = Narration(bus=Bus(), database=self.database)
            self.narration.open()
            open_door(self.narration)
            self.plane = StreamPlane(self.narration)
            self._ready.set()
            await self._over.wait()
            await self.narration.close()
            await converse.close()
            stop_database_thread()

    def configure(self, *, base_url: str, stall_seconds: float = 5.0) -> None:
        """One provider at this address, and how long its silence is borne."""
        entry = ProviderEntry(
            id="fake", base_url=base_url, api_key_env="FAKE_KEY", models=("fake",), region="this machine"
        )
        provide(self.settings, entry, stall_seconds=stall_seconds)

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the house's loop, to its end."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def busy_database(self) -> threading.Event:
        """Let the database thread stand still, outside of any transaction, until the event is set."""
        gate, reached = threading.Event(), threading.Event()
        commit = self.database._commit

        def wait(jobs: Any) -> None:
            self.database._commit = commit  # type: ignore[method-assign]
            reached.set()
            gate.wait(PATIENCE)
            commit(jobs)

        self.database._commit = wait  # type: ignore[method-assign]
        self.database.submit(lambda: None)
        assert reached.wait(PATIENCE)
        return gate

    def lose_next_batch(self) -> None:
        """Let the database undo the next batch in the middle of it, as SQLite may on a full disk."""
        commit = self.database._commit

        def lose(jobs: Any) -> None:
            self.database._commit = commit  # type: ignore[method-assign]
            for job in jobs:
                job.tell(None, BatchLost())

        self.database._commit = lose  # type: ignore[method-assign]

    def script(self, *acts: Any) -> None:
        """How the provider answers its next request."""
        self.provider.play(*acts)

    def release(self) -> None:
        """Let the answer that stands at a Hold go on, as soon as it stands there."""
        eventually(lambda: self.provider.holding)
        self.provider.release()

    def take(
        self, player: Player, story: Story, text: str = "I open the door.", *, mode: str = "do", **more: Any
    ) -> Reading:
        """Play a line; its answer comes as a stream."""
        body = {"mode": mode, "text": text, "client_turn_id": str(more.pop("client_id", new_id())), **more}
        return self.ask("POST", f"/stream/stories/{story.pk}/turns", player, body)

    def draw(
        self,
        player: Player,
        story: Story,
        act: str,
        turn: uuid.UUID | None = None,
        *,
        client_id: uuid.UUID | None = None,
    ) -> Reading:
        """Continue, regenerate, retry, or go on."""
        body = {"act": act, "turn": str(turn) if turn else None, "client_turn_id": str(client_id or new_id())}
        return self.ask("POST", f"/stream/stories/{story.pk}/replies", player, body)

    def resume(
        self, player: Player, run: uuid.UUID | str, *, after: int | None = None, last: int | None = None
    ) -> Reading:
        """Read a run from a number of characters on, by `?after=` or by Last-Event-ID."""
        query = f"?after={after}" if after is not None else ""
        more = {"last-event-id": str(last)} if last is not None else {}
        return self.ask("GET", f"/stream/runs/{run}{query}", player, headers={**OURS, **more})

    def stop(self, player: Player, run: uuid.UUID | str) -> Reading:
        return self.ask("POST", f"/stream/runs/{run}/stop", player).to_end()

    def ask(
        self,
        method: str,
        target: str,
        player: Player | None,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Reading:
        """Send one request to the plane; returns as soon as it is on its way."""
        sent = dict(OURS if headers is None else headers)
        if player is not None:
            sent.setdefault("cookie", f"{settings.SESSION_COOKIE_NAME}={player.cookie}")
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "scheme": "http",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
        }
        content = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
        reading = Reading(self.loop)
        reading.ended = asyncio.run_coroutine_threadsafe(reading.converse(self.plane, scope, content), self.loop)
        return reading


def provide(overriding: Any, *entries: ProviderEntry, stall_seconds: float = 5.0) -> None:
    """Let the instance have these providers and no others."""
    overriding.MINDSTAGE = replace(settings.MINDSTAGE, providers=entries, stall_seconds=stall_seconds)


def allow(overriding: Any, *, replies_at_once: int) -> None:
    """How many replies one person may have running."""
    overriding.MINDSTAGE = replace(settings.MINDSTAGE, replies_at_once=replies_at_once)


@dataclass
class Frame:
    """One event of a stream. `at`: when it came, by the monotonic clock."""

    event: str
    data: dict[str, Any]
    ident: int | None
    at: float = field(default_factory=time.monotonic)


class Reading:
    """One request and what has come of its answer so far."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.frames: list[Frame] = []
        self.ended: Future[None]
        self._news = threading.Condition()
        self._gone = asyncio.Event()

    async def converse(self, plane: StreamPlane, scope: dict[str, Any], content: bytes) -> None:
        """Be the server's side of the connection: hand the body in, take the answer, then tell of the leaving."""
        sent = False

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if not sent:
                sent = True
                return {"type": "http.request", "body": content, "more_body": False}
            await self._gone.wait()
            return {"type": "http.disconnect"}

        await plane(scope, receive, self._take)

    async def _take(self, message: Any) -> None:
        with self._news:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            elif not self._gone.is_set():
                self.body += message.get("body", b"")
                self.frames += parse_frames(self.body)[len(self.frames) :]
            self._news.notify_all()

    def leave(self) -> None:
        """Close the tab."""
        self.loop.call_soon_threadsafe(self._gone.set)
        self.ended.result(PATIENCE)

    def until(self, condition: Callable[[Reading], bool]) -> Self:
        """Wait until what has come fulfils a condition."""
        with self._news:
            assert self._news.wait_for(lambda: condition(self), PATIENCE), f"{self.status}: {self.frames[-3:]}"
        return self

    def begun(self) -> dict[str, Any]:
        """Wait for the first frame; its content."""
        self.until(lambda reading: bool(reading.frames) or reading.ended.done())
        assert self.frames, self.body
        return self.frames[0].data

    def until_deltas(self, count: int) -> Self:
        return self.until(lambda reading: len(reading.deltas) >= count)

    def to_end(self) -> Self:
        """Wait until the answer is complete."""
        self.ended.result(PATIENCE)
        return self

    @property
    def run(self) -> uuid.UUID:
        return uuid.UUID(self.begun()["run"])

    @property
    def deltas(self) -> list[Frame]:
        return [frame for frame in self.frames if frame.event == "delta"]

    @property
    def text(self) -> str:
        """What the reader has been shown of the reply."""
        return "".join(frame.data["text"] for frame in self.deltas)

    @property
    def done(self) -> dict[str, Any]:
        """The ending. Waits for it."""
        self.to_end()
        assert self.frames, (self.status, self.body)
        assert self.frames[-1].event == "done"
        return self.frames[-1].data

    @property
    def say(self) -> str:
        """The sentence of a refusal. Waits for it."""
        return str(json.loads(self.to_end().body)["say"])


def parse_frames(body: bytes) -> list[Frame]:
    """The complete frames of a stream (WHATWG HTML, section 9.2.6); comments are passed over."""
    frames = []
    for block in body.decode(errors="surrogateescape").split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":") and ": " in line)
        if "event" in fields:
            ident = int(fields["id"]) if "id" in fields else None
            frames.append(Frame(fields["event"], json.loads(fields["data"]), ident))
    return frames


def eventually(condition: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
