"""The narrator of this machine: one model, one slot, one person's words in it at a time.

People take turns, in the order in which they came: whoever asks for many replies at once waits behind everybody else
with all but the first. The prompt cache is what makes a second turn quick, and it
holds what a person wrote. So the process ends before another person's prompt is read, when its person is frozen, and
after five idle minutes; with it goes all that it held.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from mindstage.gateway.embedded.process import ModelProcess, start_process
from mindstage.gateway.embedded.standing import Keep, Sources, Standing
from mindstage.gateway.problems import ProviderProblem
from mindstage.gateway.providers import openai_compatible
from mindstage.gateway.providers.completions import Finish
from mindstage.gateway.providers.openai_compatible import EMBEDDED_FIELDS, Hearing, Request

IDLE_SECONDS: Final = 300.0
_LEAST_STALL: Final = 60.0
_LOST: Final = ("unreachable", "closed", "silent", "broken")

WAKING: Final = "Waking the narrator"
QUEUED: Final = "Another story is being told on this machine; yours comes after it"
READING: Final = "Reading the story so far"
THINKING: Final = "The narrator is thinking"
MOVED_TOKENS: Final = 16
"""Shorter runs of words that moved are read again."""

type Progress = Callable[[str, float | None], None]
NOBODY: Final = Hearing(on_delta=lambda _: None)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be told: messages as (role, text), the last being the start of the reply when there is one.

    `sources`: the texts behind them, by which the model knows what it may keep of what it has read.
    """

    messages: tuple[tuple[str, str], ...]
    max_tokens: int
    stop: tuple[str, ...]
    sampling: dict[str, float | int]
    sources: Sources | None = None


class Narrator:
    """One model file. It wakes at the first request and sleeps again by itself."""

    def __init__(
        self,
        path: Path | None,
        *,
        context: int,
        threads: int = 0,
        stall_seconds: float = _LEAST_STALL,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._path = path
        self._context = context
        self._threads = threads or max(1, (os.cpu_count() or 2) - 1)
        self._stall_seconds = max(stall_seconds, _LEAST_STALL)
        self._idle_seconds = idle_seconds
        self._slot = asyncio.Lock()
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._process: ModelProcess | None = None
        self._person: str | None = None
        self._standing = Standing()
        self._warming: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._going_to_sleep: asyncio.Task[None] | None = None

    @property
    def is_awake(self) -> bool:
        return self._process is not None and self._process.lives

    async def tell(
        self, asked: Asked, *, person: str, on_delta: Callable[[str], None], on_progress: Progress
    ) -> Finish:
        """Tell the next part. Raises ProviderProblem; cancelling stops the model at its next word."""
        if self._warming:
            self._warming.cancel()
        elif self._slot.locked():
            on_progress(QUEUED, None)
        async with self._queue_of(person), self._slot:
            try:
                return await self._tell(asked, person=person, on_delta=on_delta, on_progress=on_progress)
            finally:
                self._rest()

    def _queue_of(self, person: str) -> asyncio.Lock:
        """One of a person's requests at a time waits for the slot; the others wait here. It lives while one does."""
        queue = self._queues.get(person)
        if queue is None:
            queue = self._queues[person] = asyncio.Lock()
        return queue

    async def _tell(
        self, asked: Asked, *, person: str, on_delta: Callable[[str], None], on_progress: Progress
    ) -> Finish:
        """Ask the model; a process that is found dead or dumb is let go, and replaced if it had not begun to answer."""
        for attempt in (1, 2):
            process = await self._give_to(person, on_progress)
            try:
                with self._standing.reading(asked.sources) as keep:
                    return await openai_compatible.stream(
                        self._request(process, asked, keep),
                        Hearing(
                            on_delta,
                            on_read=lambda share: on_progress(READING, share),
                            on_thought=lambda: on_progress(THINKING, None),
                        ),
                        stall_seconds=self._stall_seconds,
                    )
            except ProviderProblem as problem:
                if problem.kind in _LOST:
                    await self._end()
                if problem.kind != "unreachable" or attempt == 2:
                    raise
        raise AssertionError

    async def warm(self, asked: Asked, *, person: str) -> None:
        """Read a prompt ahead of the next turn. Gives way to any request, and never takes another person's place."""
        if self._slot.locked() or not self.is_awake or self._person != person:
            return
        task = self._warming = asyncio.get_running_loop().create_task(self._read_ahead(asked, person=person))
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            if self._warming is task:
                self._warming = None

    async def forget(self, person: str) -> None:
        """Let go of what the model has read of this person, if it is theirs."""
        if self._person != person:
            return
        if self._warming:
            self._warming.cancel()
        async with self._slot:
            if self._person == person:
                await self._end()

    async def sleep(self) -> None:
        """End the child process, and with it all that it has read, once nobody is being told anything."""
        self._stir()
        async with self._slot:
            await self._end()

    async def stop(self) -> None:
        """End the child process now; a reply that is being told breaks off."""
        self._stir()
        await self._end()

    def _stir(self) -> None:
        if self._idle:
            self._idle.cancel()
        if self._warming:
            self._warming.cancel()

    async def _wake(self, on_progress: Progress) -> ModelProcess:
        if self._idle:
            self._idle.cancel()
        if self._process and not self._process.lives:
            await self._end()
        if self._process is None:
            on_progress(WAKING, None)
            self._process = await start_process(self._path, context=self._context, threads=self._threads)
        return self._process

    async def _give_to(self, person: str, on_progress: Progress) -> ModelProcess:
        """Return a process in which nobody else's words are.

        Erasing the slot is not enough: the library's freed memory kept 15 copies of a planted word, also after three
        more prompts of another person. A new process costs 0.4 s (the 1.5B model 2 s), where a prompt that must be read
        from its beginning takes longer anyway.
        """
        if self._person not in (None, person):
            await self._end()
        process = await self._wake(on_progress)
        self._person = person
        return process

    async def _end(self) -> None:
        process, self._process, self._person = self._process, None, None
        self._standing.forget()
        if process:
            await process.end()

    async def _read_ahead(self, asked: Asked, *, person: str) -> None:
        try:
            async with self._slot:
                if self._process is None or not self._process.lives or self._person != person:
                    return
                with (
                    contextlib.suppress(ProviderProblem),  # nobody waits for it: the next turn reads for itself
                    self._standing.reading(asked.sources) as keep,
                ):
                    request = self._request(self._process, replace(asked, max_tokens=0), keep)
                    await openai_compatible.stream(request, NOBODY, stall_seconds=self._stall_seconds)
        finally:
            self._rest()

    def _request(self, process: ModelProcess, asked: Asked, keep: Keep) -> Request:
        kept = {"cache_prompt": keep is not Keep.NOTHING, "n_cache_reuse": MOVED_TOKENS if keep is Keep.MOVED else 0}
        return Request(
            base_url=f"{process.address}/v1",
            model="narrator",
            messages=tuple((role, _disarm(text)) for role, text in asked.messages),
            max_tokens=asked.max_tokens,
            api_key=process.key,
            stop=asked.stop,
            settings={**asked.sampling, **kept, "return_progress": True},
            knows=EMBEDDED_FIELDS,
            keeps_connection=False,
        )

    def _rest(self) -> None:
        """Begin to count the idle minutes."""
        if self._idle:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._fall_asleep)

    def _fall_asleep(self) -> None:
        if self._slot.locked():
            self._rest()
            return
        self._going_to_sleep = asyncio.get_running_loop().create_task(self.sleep())


def _disarm(text: str) -> str:
    """Keep words that look like the model's own marks (`<|im_end|>`) from being read as marks."""
    return text.replace("<|", "< |")
