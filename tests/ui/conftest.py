"""The gallery, served on loopback under the content policy of the program."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test import override_settings

from browser import browsers, chromium, open_page  # noqa: F401  fixtures
from ui import gallery

PROCESSORS = [
    "django.template.context_processors.request",
    "django.template.context_processors.csp",
    "ui.gallery.everywhere.every_page",
    "ui.gallery.everywhere.person",
]
SETTINGS = {
    "ROOT_URLCONF": "ui.gallery.urls",
    "ALLOWED_HOSTS": ["127.0.0.1", "testserver"],
    "MIDDLEWARE": [
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.gzip.GZipMiddleware",
        "django.middleware.csp.ContentSecurityPolicyMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "mindstage.ui.middleware.PrivatePagesMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": PROCESSORS},
        }
    ],
}


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Tests say what went wrong."""


@pytest.fixture
def in_gallery() -> Iterator[gallery.Stage]:
    """The sample pages, and the stage that a test may set."""
    with override_settings(**SETTINGS):
        gallery.stage.reset()
        yield gallery.stage


@pytest.fixture
def address(in_gallery: gallery.Stage) -> Iterator[str]:
    """The gallery's address on loopback."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler)
    server.daemon_threads = True
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


@pytest.fixture
def stage_address(address: str) -> str:
    """Where the sample story is played."""
    return f"{address}/stories/{gallery.STORY}/"
