"""The one door through which a prompt goes to a narrator, and words come back."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from django.conf import settings

from mindstage.gateway.embedded.narrator import THINKING, Asked, Narrator
from mindstage.gateway.embedded.standing import Sources
from mindstage.gateway.providers import openai_compatible
from mindstage.gateway.providers.completions import Finish
from mindstage.gateway.providers.connections import close_connections
from mindstage.gateway.providers.openai_compatible import Hearing, Request
from mindstage.gateway.routes import Route
from mindstage.gateway.sendings import Noted
from mindstage.prompts.inputs import Prompt

__all__ = ["Finish", "NotNoted", "Sources", "close", "converse", "forget", "warm"]

_SPARE_TOKENS: Final = 256
_PAGE: Final = 256

_narrators: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Path | None, Narrator]] = WeakKeyDictionary()


class NotNoted(Exception):
    """A request was about to leave that nobody noted. It is a fault of the program; nothing left."""


async def converse(
    prompt: Prompt,
    *,
    route: Route,
    person: str,
    noted: Noted | None,
    on_delta: Callable[[str], None],
    on_progress: Callable[[str, float | None], None],
    sources: Sources | None = None,
) -> Finish:
    """Have the prompt answered; on_delta gets each piece of text as it comes, never the prefill or a thought.

    `person` is an opaque name for whose words these are: it keeps one person's prompt cache from another, and is never
    sent. `sources`: the texts behind the prompt, for a model of this machine: what it has read beside a text that is
    gone, it reads again. `noted`: that a request to this very route was noted; None is enough for a model of this
    machine. Raises NotNoted, ProviderProblem. Cancelling the task closes the way to the provider at once.
    """
    if route.kind == "embedded":
        return await _narrator(route).tell(
            _ask(prompt, route, sources), person=person, on_delta=on_delta, on_progress=on_progress
        )
    if noted is None or noted.route != route:
        raise NotNoted
    request = Request(
        base_url=route.base_url,
        model=route.model,
        messages=_messages(prompt),
        max_tokens=route.reply,
        api_key=route.api_key,
        stop=prompt.stop,
        settings=dict(route.sampling),
    )
    hearing = Hearing(on_delta, on_thought=lambda: on_progress(THINKING, None))
    return await openai_compatible.stream(request, hearing, stall_seconds=settings.MINDSTAGE.stall_seconds)


async def warm(prompt: Prompt, *, route: Route, person: str, sources: Sources | None = None) -> None:
    """Let the model of this machine read a prompt ahead, so that the next turn reads only its new words.

    Does nothing elsewhere, or while the model is asleep, busy, or with somebody else. Raises nothing.
    """
    if route.kind == "embedded":
        asked = _ask(prompt, route, sources)
        lasting = asked.messages[: prompt.stable] or asked.messages
        await _narrator(route).warm(replace(asked, messages=lasting), person=person)


async def forget(person: str) -> None:
    """Erase what any model on this machine has read of this person: at freezing, and when they leave."""
    for narrator in _here().values():
        await narrator.forget(person)


async def close() -> None:
    """End the models' processes and close every connection of this event loop; replies that run break off."""
    for narrator in _here().values():
        await narrator.stop()
    _narrators.pop(asyncio.get_running_loop(), None)
    close_connections()


def _narrator(route: Route) -> Narrator:
    here = _here()
    if route.path not in here:
        here[route.path] = Narrator(
            route.path,
            context=-(-(route.context + route.reply + _SPARE_TOKENS) // _PAGE) * _PAGE,
            threads=settings.MINDSTAGE.narrator_threads,
            stall_seconds=settings.MINDSTAGE.stall_seconds,
        )
    return here[route.path]


def _here() -> dict[Path | None, Narrator]:
    return _narrators.setdefault(asyncio.get_running_loop(), {})


def _ask(prompt: Prompt, route: Route, sources: Sources | None) -> Asked:
    return Asked(_messages(prompt), route.reply, prompt.stop, route.sampling, sources)


def _messages(prompt: Prompt) -> tuple[tuple[str, str], ...]:
    return tuple((message.role.value, message.content) for message in prompt.messages)
