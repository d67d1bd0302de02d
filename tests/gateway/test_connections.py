"""The connections themselves: what a server may do besides answering well, and what is left open after it."""

from __future__ import annotations

import asyncio
import datetime
import gc
import ipaddress
import ssl
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from mindstage.gateway.problems import ProviderProblem
from mindstage.gateway.providers import connections
from mindstage.gateway.providers.connections import close_connections, pool
from mindstage.gateway.providers.openai_compatible import Hearing, Request, stream
from mindstage.gateway.providers.requests import NoSuchPlace, Post, UnfitHeader, read_url

from .conftest import Heard, listen, route_to

EVENT = b'data: {"choices":[{"delta":{"content":"Once."},"finish_reason":null}]}\n\n'
DONE = b"data: [DONE]\n\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

type Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def whole(body: bytes = EVENT + DONE) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class Server:
    """A server that answers each request with the next of some bytes, or as `answering` does it by itself."""

    def __init__(self, *answers: bytes, then_closes: bool = False) -> None:
        self.answers = list(answers)
        self.then_closes = then_closes
        self.connections = self.requests = self.gone = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while self.answers:
                await read_request(reader)
                self.requests += 1
                writer.write(self.answers.pop(0))
                await writer.drain()
            if self.then_closes:
                writer.close()
            await reader.read()
        self.gone += 1
        writer.close()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


@asynccontextmanager
async def serving(answering: Answering, **options: object) -> AsyncIterator[int]:
    """The port where it answers."""
    server = await asyncio.start_server(answering, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        close_connections()
        server.close()


async def ask(port: int, *, scheme: str = "http", host: str = "127.0.0.1") -> Heard:
    return await listen(route_to(f"{scheme}://{host}:{port}/v1"))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - it happens on the other side of a socket
            await asyncio.sleep(0.01)


def kind_of(heard: Heard) -> str | None:
    return heard.problem.kind if heard.problem else None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + whole(), None, id="hints before the answer"),
        pytest.param(HEAD.replace(b"1.1", b"1.0") + b"\r\n" + EVENT + DONE, None, id="an answer without a length"),
        pytest.param(HEAD.replace(b"1.1", b"1.0") + b"\r\n" + EVENT, "closed", id="one that has no end either"),
        pytest.param(b"SSH-2.0-OpenSSH_9.9\r\n", "closed", id="no HTTP"),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx", "closed", id="101"
        ),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "closed", id="a chunk of no size"),
        pytest.param(HEAD + b"X: " + b"x" * 200_000 + b"\r\n\r\n", "closed", id="an endless head"),
        pytest.param(HEAD + b"X: y\r\n" * 40_000 + b"\r\n", "closed", id="a head of many lines"),
        pytest.param(HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b", "broken", id="gzip that nobody asked for"),
        pytest.param(b"", "closed", id="nothing"),
    ],
)
async def test_an_answer_of_its_own_kind(configuration, answer: bytes, kind: str | None) -> None:
    """Whatever a server says, it is a reply or one of the known problems, and an odd connection is not kept."""
    server = Server(answer, then_closes=True)
    async with serving(server.serve) as port:
        heard = await ask(port)
        assert kind_of(heard) == kind
        assert heard.text == ("Once." if EVENT in answer else "")
        assert server.requests == 1
        await until(lambda: server.gone == 1)


async def test_a_head_without_an_end_is_cut(configuration) -> None:
    """Signs of life and headers for ever are no answer, and they fill no memory."""
    for forever in (b"X: y\r\n", b"x" * 1_000, b"\r\nHTTP/1.1 103 Early Hints\r\n\r\n"):

        async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                await read_request(reader)
                writer.write(b"HTTP/1.1 103 Early Hints\r\nX: ")
                while not writer.is_closing():
                    writer.write(forever)  # noqa: B023 - of this round
                    await writer.drain()

        async with serving(answering) as port:
            assert kind_of(await ask(port)) == "closed"


async def test_a_request_that_nobody_read_goes_out_once_more(configuration) -> None:
    """A kept connection is hung up at the moment of the next request. One that was new is not asked twice."""
    replies = [whole(), b"", whole()]

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while await read_request(reader):
                if not (reply := replies.pop(0)):
                    break
                writer.write(reply)
        writer.close()

    async with serving(answering) as port:
        assert (await ask(port)).text == "Once."
        assert (await ask(port)).text == "Once."
        assert replies == []


async def test_a_request_that_somebody_worked_on_is_not_sent_again(
    configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept connection that breaks without a word, but only after a while: its server had read the request."""
    monkeypatch.setattr(connections, "HUNG_UP_SECONDS", 0.05)
    server, read = Server(whole()), 0

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal read
        with suppress(asyncio.IncompleteReadError):
            await read_request(reader)
            writer.write(server.answers.pop())
            await read_request(reader)
            read += 1
            await asyncio.sleep(0.1)
        writer.close()

    async with serving(answering) as port:
        await ask(port)
        assert (kind_of(await ask(port)), read) == ("closed", 1)


async def test_what_was_begun_is_not_asked_again(configuration) -> None:
    """A kept connection that breaks within its answer may have cost something: the person decides about another try."""
    server = Server(whole(), HEAD + b"Content-Length: 999\r\n\r\n" + EVENT, then_closes=True)
    async with serving(server.serve) as port:
        await ask(port)
        heard = await ask(port)
        assert (kind_of(heard), heard.text, server.requests, server.connections) == ("closed", "Once.", 2, 1)


async def test_a_kept_connection_that_speaks_is_let_go(configuration) -> None:
    """What nobody asked for belongs to no answer, so it must not become the next one's begin."""
    server = Server(whole())
    async with serving(server.serve) as port:
        await ask(port)
        server.writers[0].write(whole(EVENT.replace(b"Once", b"Evil") + DONE))
        await until(lambda: server.gone == 1)
        server.answers.append(whole())
        assert (await ask(port)).text == "Once."
        assert server.connections == 2


async def test_two_answers_to_one_request_are_one(configuration) -> None:
    """What comes in the same breath after an answer is none of it either."""
    server = Server(whole(EVENT) + whole(EVENT.replace(b"Once", b"Evil") + DONE), whole())
    async with serving(server.serve) as port:
        heard = await ask(port)
        assert (kind_of(heard), heard.text) == ("closed", "Once.")
        assert (await ask(port)).text == "Once."
        assert server.connections == 2


async def test_a_tail_is_read_aside(configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server still says after [DONE] delays nobody; if it is short and comes soon, the connection is kept."""
    monkeypatch.setattr(connections, "TAIL_SECONDS", 0.05)
    begun = HEAD + b"Content-Length: %d\r\n\r\n" % (len(EVENT + DONE) + 10)
    server = Server(begun + EVENT + DONE, whole(), begun + EVENT + DONE)
    async with serving(server.serve) as port:
        assert (await ask(port)).text == "Once."
        server.writers[0].write(b"0123456789")
        await asyncio.sleep(0.02)
        assert (await ask(port)).text == "Once."
        assert server.connections == 1
        assert (await ask(port)).text == "Once."  # this tail never comes
        await until(lambda: server.gone == 1)


async def test_an_endless_tail_is_cut(configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server keeps us reading after it has said that it has ended."""
    monkeypatch.setattr(connections, "TAIL_SECONDS", 600)
    server = Server(HEAD + b"Content-Length: 99999999\r\n\r\n" + EVENT + DONE)
    async with serving(server.serve) as port:
        assert (await ask(port)).text == "Once."
        server.writers[0].write(b"x" * 200_000)
        await until(lambda: server.gone == 1)


async def test_a_connection_is_kept_for_a_while_and_no_longer(configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection says when somebody plays; half a minute after the last turn there is none."""
    assert connections.KEPT_SECONDS == 30
    monkeypatch.setattr(connections, "KEPT_SECONDS", 0.05)
    server = Server(whole())
    async with serving(server.serve) as port:
        await ask(port)
        await until(lambda: server.gone == 1)
        assert not pool()._open
        assert not pool()._kept


@pytest.mark.parametrize("begun", [HEAD + b"Content-Length: 999\r\n\r\n" + EVENT, b""])
async def test_closing_ends_what_runs(configuration, begun: bytes) -> None:
    """At the end of the program nothing stays open, nothing is tried again, and whoever waits for an answer is told."""
    server = Server(whole(), begun, whole())
    async with serving(server.serve) as port:
        await ask(port)
        running = asyncio.ensure_future(ask(port))
        await until(lambda: server.requests == 2)
        close_connections()
        assert kind_of(await running) == "closed"
        await until(lambda: server.gone == 1)
        assert server.requests == 2


async def test_another_address_of_the_name_is_tried(configuration) -> None:
    """`localhost` is two addresses on most machines, and a server often listens at one of them."""
    server = Server(whole())
    async with serving(server.serve) as port:
        assert (await ask(port, host="localhost")).text == "Once."


@pytest.mark.parametrize(
    "answer", [whole(), whole(EVENT), whole(EVENT + b"data: 7\n\n"), whole()[:-1], b"no HTTP", b""]
)
async def test_nobody_who_took_an_answer_is_held_after_it(configuration, answer: bytes) -> None:
    """Whoever takes words holds their story's key: gone with the reply, not when Python next looks for garbage."""

    class Listener:
        def hear(self, text: str) -> None:
            assert text

    request = Request(base_url="", model="m", messages=(("user", "x"),), max_tokens=9)
    server = Server(answer, then_closes=True)
    gc.disable()
    try:
        async with serving(server.serve) as port:
            listener = Listener()
            held = weakref.ref(listener)
            asked = replace(request, base_url=f"http://127.0.0.1:{port}/v1")
            with suppress(ProviderProblem):
                await stream(asked, Hearing(listener.hear), stall_seconds=5)
            del listener
            await asyncio.sleep(0)
            assert held() is None
    finally:
        gc.enable()


# ---- TLS ----


def certificate_for(name: str, folder: Path) -> tuple[Path, Path]:
    """Files of a certificate that vouches for itself, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    now = datetime.datetime.now(datetime.UTC)
    place = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([place]), critical=False)
    signed = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, SHA256())
    (folder / "certificate").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / "key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "certificate", folder / "key"


@pytest.mark.parametrize(
    ("name", "trusted", "kind"),
    [
        pytest.param("127.0.0.1", True, None, id="who they say they are"),
        pytest.param("127.0.0.1", False, "unreachable", id="whom nobody vouches for"),
        pytest.param("narrator.example", True, "unreachable", id="somebody else"),
    ],
)
async def test_who_answers_is_who_was_asked(
    configuration, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, trusted: bool, kind: str | None
) -> None:
    """Words leave by TLS only to whom the address names; to anybody else goes not even the request."""
    certificate, key = certificate_for(name, tmp_path)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate, key)
    if trusted:
        ours = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr(connections, "_tls", lambda: ours)
    server = Server(whole(), whole())
    async with serving(server.serve, ssl=theirs) as port:
        for _ in range(2):
            assert kind_of(await ask(port, scheme="https")) == kind
        assert (server.requests, server.connections) == ((2, 1) if trusted and kind is None else (0, 0))


# ---- what a request is ----


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("http://127.0.0.1:8080/v1/x", "127.0.0.1:8080", "/v1/x"),
        ("http://far.example:80/v1", "far.example", "/v1"),
        ("https://far.example:443", "far.example", "/"),
        ("https://far.example:80/v1", "far.example:80", "/v1"),
        ("http://[::1]:11434/v1", "[::1]:11434", "/v1"),
        ("http://bücher.example/a b/ü?v=1 2", "xn--bcher-kva.example", "/a%20b/%C3%BC?v=1%202"),
        ("http://far.example/a%20b?api-version=2", "far.example", "/a%20b?api-version=2"),
    ],
)
def test_an_address_is_written_as_servers_want_it(url: str, host: str, target: str) -> None:
    place, asked = read_url(url)
    assert (place.authority, asked) == (host, target)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_nothing_that_is_put_in_becomes_a_line_of_its_own(host: str, path: str, key: str) -> None:
    """Whatever an address or a key holds, the head has its five lines, or there is no request."""
    try:
        post = Post.json(f"http://{host}/{path}", {"Authorization": key}, {"text": "a\r\nb"})
    except (NoSuchPlace, UnfitHeader):
        return
    head, _, body = post.written.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert [line.split(b":")[0].split(b" ")[0] for line in lines] == [
        b"POST",
        b"Host",
        b"Authorization",
        b"Content-Type",
        b"Content-Length",
    ]
    assert lines[0].endswith(b" HTTP/1.1")
    assert lines[0].count(b" ") == 2
    assert body == b'{"text": "a\\r\\nb"}'


@pytest.mark.parametrize("url", ["http://", "http:///v1", "ftp://far.example/", "http://[broken/v1", "http://a:99999/"])
def test_an_address_that_can_be_none(url: str) -> None:
    with pytest.raises(NoSuchPlace):
        read_url(url)


def test_a_system_without_low_water_reads_each_word() -> None:
    """Where the system cannot be told when to wake us, words come as they come, and nothing breaks."""

    class Refusing:
        def setsockopt(self, *_: object) -> None:
            raise OSError("not here")

    class Transport:
        def is_closing(self) -> bool:
            return False

        def get_extra_info(self, _: str) -> Refusing:
            return Refusing()

    async def wake() -> None:
        connection = connections.Connection(read_url("http://127.0.0.1/")[0], pool())
        connection._transport = Transport()  # type: ignore[assignment]
        connection.wake_for(65_536)

    asyncio.run(wake())
