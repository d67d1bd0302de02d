"""Every test of this room begins with empty counters; and the room's pages, served on loopback for a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler

import pytest
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connections

from browser import browsers, chromium, open_page  # noqa: F401  fixtures


@pytest.fixture(autouse=True)
def empty_counters() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Tests say what went wrong."""


class Pages:
    """The program's pages in one thread at a time, so that the test's database is written by one of them."""

    def __init__(self) -> None:
        self.handler, self.lock = WSGIHandler(), threading.Lock()

    def __call__(self, environ: dict[str, object], start_response: object) -> object:
        with self.lock:
            try:
                return list(self.handler(environ, start_response))  # type: ignore[arg-type, call-overload]
            finally:
                connections.close_all()


@pytest.fixture
def localhost(transactional_db: None) -> Iterator[str]:
    """The address http://localhost:PORT, the one name under which browsers allow passkeys without TLS."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler)
    server.daemon_threads = True
    server.set_app(Pages())  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)
