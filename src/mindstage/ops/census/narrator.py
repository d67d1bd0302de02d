"""The narrator of a census: a provider on loopback that says planted words, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

from mindstage.ops.bench.acts import Finish, Status, Text
from mindstage.ops.bench.fake_provider import FakeProvider

START_SECONDS = 10.0


class Narrator(FakeProvider):
    """`with Narrator() as narrator:` runs it in a thread of its own.

    Who has the `floor` while they say what comes next and ask for it gets it, however many visitors there are.
    """

    def __init__(self) -> None:
        super().__init__()
        self.floor = threading.Lock()

    def say(self, word: str) -> None:
        """The next reply holds this word."""
        self.play(Text(f"The lamp flickers, and {word}"), Text(" is written on the wall."), Finish())

    def fail(self, word: str) -> None:
        """The next request is refused with this word in the body."""
        self.play(Status(400, {}, f'{{"error": {{"message": "{word}"}}}}'.encode()))

    def was_sent(self) -> bytes:
        """Every request line, header and body that came."""
        lines = [f"{request.path} {request.headers} ".encode() + request.raw for request in self.requests]
        return b"\n".join(lines)

    def __enter__(self) -> Self:
        self._ready, self._loop_over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise OSError("the narrator of the census did not start")
        return self

    async def _live(self) -> None:
        async with self:
            self._ready.set()
            await self._loop_over.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop_over.set)
        self._thread.join(START_SECONDS)
