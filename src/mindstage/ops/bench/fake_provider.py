"""A scriptable stand-in for an OpenAI-compatible server, on loopback.

It answers with numbered words ("w0 w1 w2 ..."), so that a lost or doubled one shows, at a pace that is set, and fails
in every way that a script names. One asyncio protocol, no task and no framework: a timer per paced stream, so that a
thousand streams cost less than what is measured against them.

    python -m mindstage.ops.bench.fake_provider --port 9100 --ttft 0.1 --tps 100 --tokens 40
"""

import argparse
import asyncio
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast

import httptools

from mindstage.ops.bench.acts import Act, Die, ErrorEvent, Finish, Hold, Raw, Sleep, Stall, Status, Text, Words

_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    raw: bytes = field(repr=False)


class FakeProvider:
    """`async with FakeProvider() as provider:` then `provider.base_url`.

    Unscripted requests get `tokens` words, the first after `ttft` seconds, then `tps` a second (0: all at once).
    """

    def __init__(self, *, ttft: float = 0.0, tps: float = 0.0, tokens: int = 40, port: int = 0) -> None:
        self.usual: Sequence[Act] = (Sleep(ttft), Words(tokens, tps), Finish())
        self.requests: list[Recorded] = []
        self.recording = True
        self.streaming = 0
        self.abandoned = 0
        self.connections = 0
        self._port = port
        self._scripts: deque[Sequence[Act]] = deque()
        self._held: list[_Answer] = []
        self._open: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def play(self, *acts: Act) -> None:
        """Answer the next request (one call for each) with these acts."""
        self._scripts.append(acts)

    def always(self, *acts: Act) -> None:
        """Answer every request that has no script of its own with these acts."""
        self.usual = acts

    @property
    def holding(self) -> bool:
        """Whether an answer stands at a Hold."""
        return bool(self._held)

    def release(self) -> None:
        """Let everything that stands at a Hold go on. May be called from another thread."""
        self._loop.call_soon_threadsafe(self._release)

    def hang_up_all(self) -> None:
        """Break every open connection."""
        for connection in list(self._open):
            connection.hang_up()

    def _release(self) -> None:
        held, self._held = self._held, []
        for answer in held:
            answer.step()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._server = await self._loop.create_server(lambda: _Connection(self), "127.0.0.1", self._port, backlog=4096)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        self._server.close()
        self.hang_up_all()
        await self._server.wait_closed()

    def choose_script(self) -> Sequence[Act]:
        return self._scripts.popleft() if self._scripts else self.usual

    def hold(self, answer: "_Answer") -> None:
        self._held.append(answer)


class _Connection(asyncio.Protocol):
    """One kept-alive connection: parses a request, then lets an answer write itself."""

    def __init__(self, provider: FakeProvider) -> None:
        self.provider = provider
        self._answer: _Answer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self.provider.connections += 1
        self.provider._open.add(self)
        self._parser = httptools.HttpRequestParser(self)
        self._begin()

    def _begin(self) -> None:
        self._path = ""
        self._headers: dict[str, str] = {}
        self._body = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body = json.loads(self._body or b"{}")
        method = self._parser.get_method().decode()
        if self.provider.recording:
            self.provider.requests.append(Recorded(method, self._path, self._headers, body, self._body))
        self._begin()
        self._answer = _Answer(self, self.provider.choose_script())
        self._answer.step()

    def hang_up(self) -> None:
        self.transport.abort()

    def end_answer(self) -> None:
        self._answer = None

    def connection_lost(self, _exc: Exception | None) -> None:
        self.provider._open.discard(self)
        if self._answer:
            self._answer.abandon()


class _Answer:
    """Performs acts one after another; waiting is a timer that comes back to `step`."""

    __slots__ = ("_acts", "_connection", "_due", "_loop", "_parts", "_provider", "_timer", "_word", "_words")

    def __init__(self, connection: _Connection, acts: Sequence[Act]) -> None:
        self._connection = connection
        self._provider = connection.provider
        self._loop = asyncio.get_running_loop()
        self._acts = iter(acts)
        self._words: Words | None = None
        self._word = 0
        self._due = 0.0
        self._parts = False  # has the head been sent?
        self._timer: asyncio.TimerHandle | None = None
        self._provider.streaming += 1

    def step(self) -> None:
        """Go on until an act asks for time, or the acts are over."""
        self._timer = None
        if self._words and self._speak(self._words):
            return
        for act in self._acts:
            if self._perform(act):
                return
        self._end()

    def _perform(self, act: Act) -> bool:
        """Do one act; True when the answer must wait, or is over."""
        match act:
            case Text(text):
                self._send_event(_delta(text))
            case Words() as words:
                self._due = self._loop.time()
                self._words = Words(self._word + words.count, words.tps)
                return self._speak(self._words)
            case Raw(data):
                self._write(data)
            case ErrorEvent(message):
                self._send_event(json.dumps({"error": {"message": message, "type": "server_error"}}).encode())
            case Finish(reason):
                self._send_event(_finish(reason))
                self._write(b"data: [DONE]\n\n")
            case _:
                return self._wait_or_end(act)
        return False

    def _wait_or_end(self, act: Act) -> bool:
        match act:
            case Sleep(seconds) if seconds > 0:
                self._timer = self._loop.call_later(seconds, self.step)
                return True
            case Hold():
                self._provider.hold(self)
                return True
            case Stall():
                self._write(b"")
                return True
            case Die():
                self._write(b"")
                self._leave()
                self._connection.transport.close()
                return True
            case Status(code, headers, body):
                self._refuse(code, headers, body)
                return True
        return False

    def _speak(self, words: Words) -> bool:
        """Send words until one is not yet due; True when waiting for it."""
        while self._word < words.count:
            if words.tps and self._due > self._loop.time():
                self._timer = self._loop.call_at(self._due, self.step)
                return True
            self._send_event(_delta(f" w{self._word}" if self._word else "w0"))
            self._word += 1
            if words.tps:
                self._due += 1 / words.tps
        self._words = None
        return False

    def _send_event(self, payload: bytes) -> None:
        self._write(b"data: " + payload + b"\n\n")

    def _write(self, data: bytes) -> None:
        if not self._parts:
            self._parts = True
            self._connection.transport.write(_HEAD)
        if data:
            self._connection.transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _refuse(self, code: int, headers: dict[str, str], body: bytes) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {code} Refused\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
        self._leave()
        self._connection.transport.write(head.encode() + body)

    def _end(self) -> None:
        self._write(b"")
        self._leave()
        self._connection.transport.write(b"0\r\n\r\n")

    def _leave(self) -> None:
        self._provider.streaming -= 1
        self._connection.end_answer()

    def abandon(self) -> None:
        """The client went before the end."""
        if self._timer:
            self._timer.cancel()
        if self in self._provider._held:
            self._provider._held.remove(self)
        self._provider.streaming -= 1
        self._provider.abandoned += 1


def _delta(text: str) -> bytes:
    return (
        b'{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":%b}}]}' % json.dumps(text).encode()
    )


def _finish(reason: str) -> bytes:
    return (
        b'{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"%b"}]}' % reason.encode()
    )


async def _serve(options: argparse.Namespace) -> None:
    provider = FakeProvider(ttft=options.ttft, tps=options.tps, tokens=options.tokens, port=options.port)
    provider.recording = False
    async with provider:
        print(provider.base_url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve until interrupted, and print the address first."""
    parser = argparse.ArgumentParser(description="An OpenAI-compatible server that says numbered words.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ttft", type=float, default=0.1, help="seconds to the first word")
    parser.add_argument("--tps", type=float, default=100.0, help="words a second, 0 for no pace")
    parser.add_argument("--tokens", type=int, default=40)
    import uvloop

    try:
        uvloop.run(_serve(parser.parse_args()))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
