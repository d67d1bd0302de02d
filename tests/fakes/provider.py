"""The fake provider for tests: the one that ships for the benchmark, and the same in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

from mindstage.ops.bench.acts import Act, Die, ErrorEvent, Finish, Hold, Raw, Sleep, Stall, Status, Text, Words
from mindstage.ops.bench.fake_provider import FakeProvider, Recorded

__all__ = [
    "Act", "Die", "ErrorEvent", "FakeProvider", "Finish", "Hold", "Raw", "Recorded", "Sleep", "Stall", "Status",
    "Text", "ThreadedFakeProvider", "Words", "words",
]  # fmt: skip


def words(count: int) -> str:
    """The text of the first `count` numbered words."""
    return " ".join(f"w{number}" for number in range(count))


class ThreadedFakeProvider(FakeProvider):
    """`with ThreadedFakeProvider() as provider:` for tests whose own loop is elsewhere, or in another process."""

    def __enter__(self) -> Self:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)
        self._thread.start()
        assert self._ready.wait(5)
        return self

    async def _live(self) -> None:
        self._over = asyncio.Event()
        async with self:
            self._ready.set()
            await self._over.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)
