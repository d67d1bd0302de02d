"""When a provider fails: what was said is kept, a plain sentence says why, and no secret is in it."""

from __future__ import annotations

import asyncio
import socket
from email.utils import format_datetime
from pathlib import Path

import pytest

from fakes.provider import Die, ErrorEvent, FakeProvider, Finish, Hold, Raw, Stall, Status, Text, Words, words
from mindstage.config.configuration import Configuration
from mindstage.gateway.problems import ProviderProblem
from mindstage.gateway.providers import openai_compatible
from mindstage.gateway.providers.openai_compatible import _SilenceWatch
from mindstage.kit import clock

from .conftest import listen, route_to


def assert_fit_for_people(problem: ProviderProblem | None, kind: str, address: str) -> None:
    assert problem is not None
    assert problem.kind == kind
    said = f"{problem.sentence} {problem} {problem!r}"
    for secret in (address, "127.0.0.1", "sk-secret", "boom", "teller"):
        assert secret not in said
    assert problem.sentence.endswith(".")
    assert problem.__suppress_context__ or problem.__context__ is None


@pytest.mark.parametrize(
    ("acts", "kind"),
    [
        pytest.param((Words(5), Die()), "closed", id="closes the socket"),
        pytest.param((Words(5),), "closed", id="ends without an ending"),
        pytest.param((Words(5), ErrorEvent(), Finish()), "broken", id="error event"),
        pytest.param(
            (Words(5), Raw(b'data: {"id": "chat\xff broken\n\n'), Words(2), Finish()), "broken", id="broken chunk"
        ),
        pytest.param((Words(5), Raw(b"data: 7\n\n"), Finish()), "broken", id="not an object"),
        pytest.param((Words(5), Raw(b'data: {"choices": "x"}\n\n'), Finish()), "broken", id="wrong types"),
        pytest.param((Words(5), Raw(b"data: " + b"[" * 100_000 + b"\n\n"), Finish()), "broken", id="deep json"),
        pytest.param((Words(5), Raw(b"x" * 2_000_000), Finish()), "broken", id="endless line"),
        pytest.param((Words(5), Stall()), "silent", id="stalls"),
    ],
)
async def test_what_was_said_before_the_trouble_is_kept(provider: FakeProvider, configuration, acts, kind: str) -> None:
    """Every word that came is handed on, then the problem is named."""
    configuration(stall_seconds=0.3)
    provider.play(*acts)
    heard = await listen(route_to(provider.base_url))
    assert heard.text == words(5)
    assert_fit_for_people(heard.problem, kind, provider.base_url)
    assert heard.problem
    assert heard.problem.retryable


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        (401, "refused", False),
        (403, "refused", False),
        (404, "rejected", False),
        (400, "rejected", False),
        (302, "rejected", False),
        (429, "busy", True),
        (500, "unwell", True),
        (502, "unwell", True),
        (503, "unwell", True),
    ],
)
async def test_a_refusal_is_named(provider: FakeProvider, configuration, code: int, kind: str, retryable: bool) -> None:
    """Each status has its sentence; the provider's own words are never repeated."""
    provider.play(
        Status(code, {"Location": f"{provider.base_url}/elsewhere"}, b'{"error": {"message": "boom sk-secret"}}')
    )
    heard = await listen(route_to(provider.base_url))
    assert heard.text == ""
    assert_fit_for_people(heard.problem, kind, provider.base_url)
    assert heard.problem
    assert heard.problem.retryable is retryable
    assert len(provider.requests) == 1


@pytest.mark.parametrize("key", ["sk-secret\nX-Evil: 1", "sk-secret\x00"])
async def test_a_key_that_can_be_none_is_refused(provider: FakeProvider, configuration, key: str) -> None:
    """A key that no header could carry is a matter of the key, and nothing is sent."""
    heard = await listen(route_to(provider.base_url, api_key=key))
    assert_fit_for_people(heard.problem, "refused", provider.base_url)
    assert provider.requests == []


async def test_a_busy_provider_says_when_to_come_back(provider: FakeProvider, configuration) -> None:
    """Retry-After is understood as seconds and as a date, and kept within a day."""
    later = format_datetime(clock.now().replace(year=2030), usegmt=True)
    for value, expected in [("7", 7), (later, 86_400), ("soon", None), ("9" * 30, None), ("-1", None)]:
        provider.play(Status(429, {"Retry-After": value}))
        heard = await listen(route_to(provider.base_url))
        assert heard.problem
        assert heard.problem.retry_after == expected


async def test_a_provider_that_sends_nothing_is_silent(provider: FakeProvider, configuration) -> None:
    """Not even a status within the set time: the wait ends."""
    configuration(stall_seconds=0.3)
    provider.play(Hold())
    heard = await listen(route_to(provider.base_url))
    assert_fit_for_people(heard.problem, "silent", provider.base_url)


async def test_a_minute_of_silence_is_waited_for_unless_told_otherwise() -> None:
    """Counted from the last bytes, or an eighth of it longer, because the deadline is not moved at each of them."""
    assert Configuration(Path("/data"), Path("/keys")).stall_seconds == 60
    now = asyncio.get_running_loop().time()
    async with asyncio.timeout(None) as deadline:
        _SilenceWatch(deadline, 60)
        until = deadline.when()
        await asyncio.sleep(0)
    assert until
    assert 60 <= until - now < 68


async def test_a_slow_provider_is_not_a_silent_one(provider: FakeProvider, configuration) -> None:
    """A word now and then keeps the reply alive, however long it takes in all."""
    configuration(stall_seconds=0.3)
    provider.play(Words(8, tps=10), Finish())
    heard = await listen(route_to(provider.base_url))
    assert (heard.text, heard.problem) == (words(8), None)


async def test_nobody_there_is_unreachable(provider: FakeProvider, configuration) -> None:
    """A closed port, a name that no machine can have and a nonsense address are all the same to a person."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    for address in (f"http://127.0.0.1:{port}/v1", f"http://{'x' * 64}.invalid/v1", "http://[broken/v1"):
        heard = await listen(route_to(address))
        assert_fit_for_people(heard.problem, "unreachable", address)


async def test_a_kept_connection_that_was_hung_up_is_no_failure(provider: FakeProvider, configuration) -> None:
    """A server may close idle connections; the next turn goes through all the same."""
    assert (await listen(route_to(provider.base_url))).problem is None
    provider.hang_up_all()
    assert (await listen(route_to(provider.base_url))).problem is None


async def test_a_reply_without_end_is_cut(provider: FakeProvider, configuration) -> None:
    """200,000 characters are enough for any reply."""
    provider.play(*[Text("x" * 60_000)] * 5, Finish())
    heard = await listen(route_to(provider.base_url))
    assert (len(heard.text), heard.finish) == (200_000, "length")


async def test_an_answer_without_end_or_words_is_cut(
    provider: FakeProvider, configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that are no words keep the silence from being one; there is a most of them."""
    monkeypatch.setattr(openai_compatible, "LONGEST_ANSWER", 1_000_000)
    provider.play(Words(5), *[Raw(b": on and on\n\n" * 5_000)] * 20, Finish())
    heard = await listen(route_to(provider.base_url))
    assert heard.text == words(5)
    assert_fit_for_people(heard.problem, "broken", provider.base_url)


async def test_cancelling_closes_the_way_to_the_provider(provider: FakeProvider, configuration) -> None:
    """Stop is stop: upstream sees the connection go, and bills no further word."""
    provider.play(Words(3), Hold())
    begun = asyncio.Event()
    task = asyncio.ensure_future(listen(route_to(provider.base_url), hear=lambda text: begun.set()))
    async with asyncio.timeout(5):
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while not provider.abandoned:  # noqa: ASYNC110 - it happens on the other side of a socket
            await asyncio.sleep(0.01)
