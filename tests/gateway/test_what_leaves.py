"""Only what is on the list leaves, and a whole reply comes back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest

from fakes.provider import FakeProvider, Finish, Raw, Text, Words, words
from mindstage.gateway.ai_models.catalogue import SMOLLM2
from mindstage.gateway.converse import NotNoted, Sources, converse
from mindstage.gateway.embedded.narrator import Asked, Narrator
from mindstage.gateway.embedded.process import ModelProcess
from mindstage.gateway.providers.openai_compatible import EMBEDDED_FIELDS, Request
from mindstage.gateway.sendings import Noted
from mindstage.prompts.inputs import Role

from .conftest import listen, make_prompt, route_to


async def test_the_request_holds_the_listed_fields_and_nothing_else(provider: FakeProvider, configuration) -> None:
    """No account, no `user`, no cookie, no program's or browser's name."""
    prompt = make_prompt((Role.SYSTEM, "S"), (Role.PERSON, "P"), stop=("\nAda:",))
    await listen(route_to(provider.base_url, sampling={"temperature": 0.5, "min_p": 0.1}), prompt, person="ada-id-77")
    sent = provider.requests[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.body == {
        "model": "teller-7b",
        "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "P"}],
        "stream": True,
        "max_tokens": 300,
        "stop": ["\nAda:"],
        "temperature": 0.5,
    }
    assert sent.headers == {
        "host": provider.base_url.split("/")[2],
        "accept": "text/event-stream",
        "authorization": "Bearer sk-secret-key",
        "content-type": "application/json",
        "content-length": str(len(json.dumps(sent.body))),
    }
    assert b"ada-id" not in sent.raw


@pytest.fixture
async def told_by(provider: FakeProvider) -> AsyncIterator[Narrator]:
    """The narrator of this machine, whose child is only a process that waits: the fake provider answers for it."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    narrator = Narrator(None, context=512)
    narrator._process = ModelProcess(provider.base_url.removesuffix("/v1"), "key-of-the-child", child)
    yield narrator
    await narrator.stop()


async def test_the_model_of_this_machine_is_sent_as_little(provider: FakeProvider, told_by: Narrator) -> None:
    """The same list, its own samplers and three switches of its server; its key is of this process alone."""
    named = frozenset({UUID(int=77)})
    sources = Sources(b"as written", told=named, stands=named)
    asked = Asked((("system", "S"), ("user", "P <|im_end|>")), 40, ("\nAda:",), SMOLLM2.sampling | {"user": 1}, sources)
    corrected = replace(asked, sources=replace(sources, stage=b"corrected"))
    await told_by.tell(asked, person="ada-id-77", on_delta=lambda _: None, on_progress=lambda *_: None)
    await told_by.warm(asked, person="ada-id-77")
    await told_by.tell(corrected, person="ada-id-77", on_delta=lambda _: None, on_progress=lambda *_: None)
    told, read_ahead, anew = provider.requests
    body = {
        "model": "narrator",
        "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "P < |im_end|>"}],
        "stream": True,
        "max_tokens": 40,
        "stop": ["\nAda:"],
        "cache_prompt": True,
        "n_cache_reuse": 16,
        "return_progress": True,
    }
    assert told.body == body | SMOLLM2.sampling
    assert read_ahead.body == told.body | {"max_tokens": 0}
    assert anew.body == told.body | {"cache_prompt": False, "n_cache_reuse": 0}
    for sent in (told, read_ahead, anew):
        assert sent.path == "/v1/chat/completions"
        assert sent.headers == {
            "host": provider.base_url.split("/")[2],
            "accept": "text/event-stream",
            "authorization": "Bearer key-of-the-child",
            "connection": "close",
            "content-type": "application/json",
            "content-length": str(len(json.dumps(sent.body))),
        }
        assert b"ada-id" not in sent.raw


async def test_a_provider_without_a_key_gets_no_authorization(provider: FakeProvider, configuration) -> None:
    """Local servers need none, and an empty one would confuse them."""
    await listen(route_to(provider.base_url, api_key=""))
    assert "authorization" not in provider.requests[0].headers


async def test_cookies_are_not_kept(provider: FakeProvider, configuration) -> None:
    """A provider cannot tie two turns together by a cookie."""
    from fakes.provider import Status

    provider.play(Status(500, {"Set-Cookie": "track=1"}))
    await listen(route_to(provider.base_url))
    await listen(route_to(provider.base_url))
    assert "cookie" not in provider.requests[1].headers


async def test_a_proxy_in_the_environment_is_not_asked(
    provider: FakeProvider, configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words go where the page says, not through what a shell happened to export."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert (await listen(route_to(provider.base_url))).problem is None


def test_a_route_shows_neither_key_nor_address() -> None:
    """Not even to whoever prints it."""
    assert "sk-secret" not in repr(route_to("http://far.example/v1"))
    request = Request(base_url="b", model="m", messages=(), max_tokens=1, api_key="sk-secret")
    assert "sk-secret" not in repr(request)


def test_samplers_go_only_to_servers_that_know_them() -> None:
    """An unknown field is refused by some servers, so it is left out."""
    asked = {"min_p": 0.1, "top_p": 0.9, "user": 1}
    common = Request(base_url="", model="m", messages=(), max_tokens=1, settings=asked).body()
    own = Request(base_url="", model="m", messages=(), max_tokens=1, settings=asked, knows=EMBEDDED_FIELDS).body()
    assert ("min_p" in common, "min_p" in own) == (False, True)
    assert "user" not in common | own


@pytest.mark.parametrize(("reason", "finish"), [("stop", "stop"), ("length", "length"), ("eos", "stop")])
async def test_a_reply_comes_whole(provider: FakeProvider, configuration, reason: str, finish: str) -> None:
    """Every word, once, in order, and how it ended."""
    provider.play(Words(200), Finish(reason))
    heard = await listen(route_to(provider.base_url))
    assert (heard.text, heard.finish, heard.problem) == (words(200), finish, None)


async def test_a_server_that_only_says_done_has_ended(provider: FakeProvider, configuration) -> None:
    """Some leave the finish reason out."""
    provider.play(Text("Once"), Raw(b": still here\n\ndata: [DONE]\n\n"))
    assert (await listen(route_to(provider.base_url))).finish == "stop"


async def test_usage_and_empty_events_are_read_past(provider: FakeProvider, configuration) -> None:
    """Role, null content and usage events carry no text and no harm."""
    provider.play(
        Raw(b'data: {"choices":[{"delta":{"role":"assistant","content":null},"finish_reason":null}]}\n\n'),
        Raw(b'data: {"choices":[],"usage":{"total_tokens":3}}\n\ndata: {"choices":null}\n\n'),
        Text("Once \u2014 \U0001f409"),
        Finish(),
    )
    assert (await listen(route_to(provider.base_url))).text == "Once \u2014 \U0001f409"


async def test_nothing_leaves_that_was_not_noted(provider: FakeProvider, configuration) -> None:
    """Without a note no byte goes out, and a note for one place is none for another."""
    route = route_to(provider.base_url)
    for noted in (None, Noted(route_to("http://127.0.0.1:9/v1")), Noted(replace(route, retains="for ever"))):
        with pytest.raises(NotNoted):
            await converse(
                make_prompt(), route=route, person="ada", noted=noted, on_delta=print, on_progress=lambda *_: None
            )
    assert not provider.requests
    assert (await listen(route, noted=Noted(route))).finish == "stop"
    assert len(provider.requests) == 1


async def test_turns_share_a_connection(provider: FakeProvider, configuration) -> None:
    """The second turn does not pay for a new one."""
    for _ in range(5):
        await listen(route_to(provider.base_url))
        await asyncio.sleep(0)
    assert provider.connections == 1


async def test_many_at_once_do_not_mix(provider: FakeProvider, configuration) -> None:
    """A hundred replies side by side are each whole."""
    provider.always(Words(30, tps=200), Finish())
    heard = await asyncio.gather(*[listen(route_to(provider.base_url), person=str(n)) for n in range(100)])
    assert {one.text for one in heard} == {words(30)}


async def test_a_provider_that_speaks_fast_is_looked_at_now_and_then(provider: FakeProvider, configuration) -> None:
    """Two hundred words a second come in a few handfuls, whole and in order; the first comes by itself."""
    provider.play(Words(60, tps=200), Finish())
    loop, handfuls = asyncio.get_running_loop(), []

    def hear(text: str) -> None:
        if not handfuls or handfuls[-1][0]:
            handfuls.append([False, ""])
            loop.call_soon(handfuls[-1].__setitem__, 0, True)
        handfuls[-1][1] += text

    heard = await listen(route_to(provider.base_url), hear=hear)
    assert heard.text == words(60)
    assert len(handfuls) <= 15
    assert len(handfuls[0][1].split()) <= 2


async def test_a_connection_that_rested_serves_the_next_turn(provider: FakeProvider, configuration) -> None:
    """A reply that ends while its connection rests leaves it as it was found."""
    for _ in range(3):
        provider.play(Words(20, tps=400), Finish())
        assert (await listen(route_to(provider.base_url))).text == words(20)
    assert provider.connections == 1
