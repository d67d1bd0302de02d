"""What the gateway's tests share: a provider that does as told, a route to it, and prompts."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fakes.provider import FakeProvider
from mindstage.gateway import converse as door
from mindstage.gateway.embedded.process import ModelProcess
from mindstage.gateway.problems import ProviderProblem
from mindstage.gateway.providers.connections import close_connections
from mindstage.gateway.routes import Route
from mindstage.gateway.sendings import Noted
from mindstage.prompts.inputs import Message, Prompt, Role


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    """A fake provider on loopback; our own client is closed after it."""
    async with FakeProvider() as fake:
        yield fake
    close_connections()


@pytest.fixture
def configuration(settings, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Lets a test change the configuration: `configuration(stall_seconds=0.2)`. Models lie in an empty folder."""

    def change(**values: object) -> None:
        settings.MINDSTAGE = replace(settings.MINDSTAGE, **values)

    change(data_dir=tmp_path, providers=())
    return change


def make_prompt(*texts: tuple[Role, str], prefill: str = "", stop: tuple[str, ...] = (), stable: int = 0) -> Prompt:
    """A prompt of these messages, or of one short question."""
    pairs = texts or ((Role.SYSTEM, "You narrate."), (Role.PERSON, "I open the door."))
    return Prompt(
        messages=tuple(Message(role, text) for role, text in pairs),
        parts=(),
        first_position=0,
        dropped=0,
        lore_fired=(),
        prefill=prefill,
        stop=stop,
        stable=stable,
    )


def route_to(base_url: str, **values: object) -> Route:
    """A route to an operator's provider at this address."""
    usual = Route(
        provider_id="remote",
        kind="openai",
        model="teller-7b",
        title="Teller",
        place="EU",
        leaves=True,
        context=4096,
        reply=300,
        dialect="chat",
        base_url=base_url,
        api_key="sk-secret-key",
    )
    return replace(usual, **values)  # type: ignore[arg-type]


async def ask_process(
    process: ModelProcess, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Ask the server of a model directly, with its key unless told other headers; status and body."""

    def ask() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(process.address.removeprefix("http://"), timeout=10)
        with contextlib.closing(connection):
            content = None if body is None else json.dumps(body)
            sent = {"Content-Type": "application/json", **(process.headers() if headers is None else headers)}
            connection.request("GET" if body is None else "POST", path, content, sent)
            answer = connection.getresponse()
            return answer.status, answer.read()

    return await asyncio.to_thread(ask)


@dataclass
class Heard:
    """What came out of a conversation."""

    text: str = ""
    finish: str = ""
    problem: ProviderProblem | None = None
    progress: list[tuple[str, float | None]] = field(default_factory=list)

    def hear(self, text: str) -> None:
        self.text += text

    def note(self, say: str, share: float | None) -> None:
        self.progress.append((say, share))


async def listen(
    route: Route,
    prompt: Prompt | None = None,
    *,
    person: str = "ada",
    hear: Callable[[str], None] | None = None,
    noted: Noted | None = None,
    sources: door.Sources | None = None,
) -> Heard:
    """Have a prompt answered and tell what was heard, the problem included. Unless told it counts as noted."""
    heard = Heard()

    def both(text: str) -> None:
        heard.hear(text)
        if hear:
            hear(text)

    try:
        heard.finish = await door.converse(
            prompt or make_prompt(),
            route=route,
            person=person,
            noted=noted or Noted(route),
            on_delta=both,
            on_progress=heard.note,
            sources=sources,
        )
    except ProviderProblem as problem:
        heard.problem = problem
    return heard
