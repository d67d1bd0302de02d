"""Write replies: an asyncio task for each, free of the request that asked for it. docs/subsystems/one-turn.md

The text grows in a channel of the bus; one keeper for all runs seals it before its oldest unstored word is half a
second old, and the ending is told only after it was stored. A reader who leaves ends nothing; a killed server loses
what came since the last part was stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from mindstage.accounts.access_counts import store_counts
from mindstage.accounts.freezing import active_accounts
from mindstage.accounts.readers import Readers
from mindstage.gateway import converse, tokens
from mindstage.gateway.problems import ProviderProblem
from mindstage.gateway.routes import Route, chosen_route
from mindstage.kit.loops import call_on
from mindstage.prompts.endings import SentenceWatch, long_enough
from mindstage.prompts.inputs import PastTurn, PromptInputs
from mindstage.stories import hot_path
from mindstage.stories.database_thread import Begin, DatabaseThread
from mindstage.stories.models import Turn
from mindstage.stories.prompting import build_prompt, open_inputs, sources_of
from mindstage.stories.replay import DAMAGED, sentence_of
from mindstage.stories.turns import Taken
from mindstage.streaming.bus import Bus, Channel, Ending, Progress
from mindstage.vault.sealing import Unreadable

log = logging.getLogger(__name__)

KEEP_SECONDS = 0.45
"""From the first word that is not stored until all are: 0.15 s of the promised 0.6 are left to seal and to commit."""
COUNT_SECONDS = 5.0
"""How often the counts of openings are stored, and readers looked at."""
LONG_STAGE = 64 * 1024
"""Bytes. A longer stage (a card with a thick lorebook) is read in a thread: nobody else's words wait for it."""
CANNOT_SAVE = "The reply could not be saved on this machine (its disk may be full). Copy it now if you want to keep it."
WAS_INTERRUPTED = "The narrator was cut off when Mindstage was shut down. The words so far are kept."


@dataclass(slots=True, eq=False)
class Run:
    """One reply that is being written. `kept`: how many of its characters are stored."""

    taken: Taken
    channel: Channel
    task: asyncio.Task[None] | None = None
    kept: int = 0
    stop_state: str = Turn.State.STOPPED
    sentences: SentenceWatch = field(default_factory=SentenceWatch)

    @property
    def id(self) -> uuid.UUID:
        return self.taken.reply.id


class Narration:
    """The running replies of one process."""

    def __init__(self, *, bus: Bus, database: DatabaseThread) -> None:
        self.bus = bus
        self.database = database
        self.readers = Readers(database)
        self.runs: dict[uuid.UUID, Run] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._warming: set[asyncio.Task[None]] = set()
        self._unstored: dict[uuid.UUID, Callable[[], bool]] = {}
        self._grown = asyncio.Event()
        self._grown_at = 0.0
        self._counted_at = 0.0
        self._leaving = False

    def open(self) -> None:
        """Begin to keep the parts of running replies."""
        self._loop = asyncio.get_running_loop()
        self.readers.open()
        self._keeper = asyncio.create_task(self._keep_progress())

    def leave(self) -> None:
        """Ask every run to end, its words kept and marked as interrupted. None begins from now on.

        A reply whose act is stored after this is marked at the next start.
        """
        self._leaving = True
        for run in self.runs.values():
            self._cancel(run, Turn.State.INTERRUPTED)
        for task in self._warming:
            task.cancel()

    async def close(self) -> None:
        """End every run and wait until each is stored."""
        self.leave()
        await asyncio.gather(*(run.task for run in list(self.runs.values()) if run.task), return_exceptions=True)
        if self._keeper:
            self._keeper.cancel()

    @property
    def beginning(self) -> Begin[Taken]:
        """How the replies that acts open begin: given to the database thread with each act."""
        return Begin(lambda taken: call_on(self._loop, self._begin, taken), early=lambda taken: taken.recipient_known)

    def _begin(self, taken: Taken) -> None:
        """Begin the reply that an act has opened, unless the act came a second time."""
        if taken.begins and not self._leaving:
            self._start_run(taken)

    def _start_run(self, taken: Taken) -> None:
        """Begin to write a reply that was just stored as running."""
        words = hot_path.open_text(taken.scene, taken.continues) if taken.continues else ""
        channel = self.bus.open(taken.reply.id, begins_with=words)
        run = self.runs[taken.reply.id] = Run(taken, channel, kept=len(words), sentences=SentenceWatch(words))
        # It starts at once: one that is cancelled before its first step would leave the reply running for good.
        run.task = asyncio.Task(self._perform(run), loop=asyncio.get_running_loop(), eager_start=True)

    def stop_run(self, run_id: uuid.UUID) -> bool:
        """Stop a reply; its words are kept. False when it is not running here."""
        run = self.runs.get(run_id)
        if run is not None:
            self._cancel(run, Turn.State.STOPPED)
        return run is not None

    def stop_owner(self, owner: uuid.UUID) -> None:
        """Stop whatever is being written for a person, and let the narrators on this machine forget them."""
        for run in self.runs.values():
            if run.taken.scene.owner == owner:
                self._cancel(run, Turn.State.INTERRUPTED)
        self.forget_owner(owner)

    def forget_owner(self, owner: uuid.UUID) -> None:
        """Let the narrators on this machine forget what they have read of a person, once what runs has ended."""
        task = asyncio.create_task(converse.forget(str(owner)))
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)

    def _cancel(self, run: Run, state: str) -> None:
        run.stop_state = state
        if run.task:
            run.task.cancel()

    async def _perform(self, run: Run) -> None:
        inputs: PromptInputs | None = None
        noted = run.taken.noted
        route = noted.route if noted else chosen_route(run.taken.scene.route)
        try:
            inputs = await _aside(run.taken, partial(open_inputs, run.taken, route=route))
            await self._narrate(run, inputs, route)
            state, ending, problem = Turn.State.FINISHED, Ending(Turn.State.FINISHED), ""
        except ProviderProblem as trouble:
            state, problem = Turn.State.FAILED, trouble.kind
            ending = Ending(state, trouble.sentence, retry=True, retry_after=trouble.retry_after)
        except asyncio.CancelledError:
            state, problem = Turn.State(run.stop_state), ""
            say = WAS_INTERRUPTED if state == Turn.State.INTERRUPTED else None
            ending = Ending(state, say, retry=state != Turn.State.FINISHED)
        except Unreadable:
            state, problem = Turn.State.FAILED, DAMAGED
            ending = Ending(state, sentence_of(problem), retry=True)
        except Exception:
            log.exception("a reply could not be written")
            state, problem = Turn.State.FAILED, "broken"
            ending = Ending(state, ProviderProblem("broken").sentence, retry=True)
        await self._finish_run(run, state=state, ending=ending, problem=problem)
        if inputs is not None and state == Turn.State.FINISHED:
            self._warm_later(run, inputs, route)

    async def _narrate(self, run: Run, inputs: PromptInputs, route: Route) -> None:
        if route.kind == "embedded":
            await asyncio.to_thread(tokens.counter, route)  # its first use reads a vocabulary: not on the loop
        prompt = await _aside(run.taken, partial(build_prompt, inputs, route=route))
        await converse.converse(
            prompt,
            route=route,
            person=str(run.taken.scene.owner),
            noted=run.taken.noted,
            on_delta=partial(self._feed, run, long_enough(route.reply)),
            on_progress=lambda say, share: self.bus.report(run.channel, Progress(say, share)),
            sources=None if route.leaves else sources_of(run.taken, prompt),
        )
        await asyncio.sleep(0)  # a last piece that ended the reply has cancelled this task: it is told here, not later
        if run.channel.length == len(run.channel.begins_with):
            raise ProviderProblem("silent")

    def _feed(self, run: Run, enough: int, text: str) -> None:
        """Pass a piece on. Past `enough` characters the next end of a sentence ends the reply."""
        channel = run.channel
        if not channel.length:
            text = text.lstrip()
        told = channel.length - len(channel.begins_with)
        text, ends = run.sentences.take(storable(text), free=enough - told)
        if text:
            self.bus.feed(channel, text)
            self._call_keeper()
        if ends:
            self._cancel(run, Turn.State.FINISHED)

    async def _finish_run(self, run: Run, *, state: str, ending: Ending, problem: str) -> None:
        """Store the whole reply, then tell its readers: in this order, or they could see an end that a crash undoes."""
        self.runs.pop(run.id, None)
        sealed = hot_path.seal_text(run.taken.scene, run.id, run.channel.text)
        store = partial(hot_path.end_reply, run.id, text=sealed, state=state, problem=problem)
        try:
            await self.database.run(store)
        except Exception:
            log.exception("a reply could not be stored")
            self._unstored[run.id] = store
            self._call_keeper()
            ending = Ending(Turn.State.FAILED, CANNOT_SAVE, retry=True)
        self.bus.end(run.channel, ending)

    def _call_keeper(self) -> None:
        """There is something to store, from now on; what comes after the first does not move its time."""
        if not self._grown.is_set():
            self._grown_at = asyncio.get_running_loop().time()
            self._grown.set()

    async def _keep_progress(self) -> None:
        """Seal and store what has come since the last round, for all runs in one commit."""
        while True:
            await self._wait_for_work()
            for keep in (self._keep_parts, self._keep_endings, self._keep_counts):
                try:
                    await keep()
                except Exception:  # a full disk is told at the run's end; the next round tries again
                    self._call_keeper()

    async def _wait_for_work(self) -> None:
        """Until there are words to keep, or counts: a house at rest sleeps, and a short reply is stored once, whole."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(COUNT_SECONDS):
                await self._grown.wait()
                await asyncio.sleep(self._grown_at + KEEP_SECONDS - asyncio.get_running_loop().time())
        self._grown.clear()

    async def _keep_endings(self) -> None:
        """Store the endings that could not be stored before: until then their stories take no turn."""
        for run, store in list(self._unstored.items()):
            await self.database.run(store)
            self._unstored.pop(run, None)
            self.bus.channels.pop(run, None)  # it tells of the failure; whoever comes now reads what is stored

    async def _keep_parts(self) -> None:
        grown = [(run, run.channel.length) for run in self.runs.values() if run.channel.length > run.kept]
        if grown:
            parts = [(run.id, hot_path.seal_text(run.taken.scene, run.id, run.channel.text)) for run, _ in grown]
            await self.database.run(partial(hot_path.keep_parts, parts), acknowledges=False)
        for run, length in grown:
            run.kept = length

    async def _keep_counts(self) -> None:
        """Now and then, store who opened what, and end what goes to browsers that another process has logged out."""
        now = asyncio.get_running_loop().time()
        if now - self._counted_at >= COUNT_SECONDS:
            self._counted_at = now
            await self.database.run(store_counts, acknowledges=False)
            await self.readers.cut_off()
            await self._stop_frozen()

    async def _stop_frozen(self) -> None:
        """Stop what runs for an account that another process has frozen, or that was frozen as its turn was stored."""
        owners = {run.taken.scene.owner for run in self.runs.values()}
        if owners:
            active = await self.database.run(partial(active_accounts, owners), acknowledges=False)
            for owner in owners - active:
                self.stop_owner(owner)

    def _warm_later(self, run: Run, inputs: PromptInputs, route: Route) -> None:
        """Let a narrator on this machine read the finished reply ahead, so that the next turn reads only new words."""
        if route.kind != "embedded":
            return
        reply = PastTurn(run.taken.reply.position, Turn.Kind.REPLY, "", run.channel.text)
        following = replace(inputs, turns=(*inputs.turns, reply), continue_from="")
        task = asyncio.create_task(_warm(run.taken, following, route))
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)


async def _warm(taken: Taken, inputs: PromptInputs, route: Route) -> None:
    prompt = await _aside(taken, partial(build_prompt, inputs, route=route))
    sources = sources_of(taken, prompt, reply=taken.reply.id)
    await converse.warm(prompt, route=route, person=str(taken.scene.owner), sources=sources)


async def _aside[T](taken: Taken, work: Callable[[], T]) -> T:
    """The work's result: done at once, or in a thread when the story's stage is long."""
    return await asyncio.to_thread(work) if len(taken.scene.stage) > LONG_STAGE else work()


def storable(text: str) -> str:
    """A piece of a reply without null characters, and with U+FFFD for halves of a sign that no encoding can hold."""
    text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
