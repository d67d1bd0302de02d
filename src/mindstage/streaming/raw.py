"""What each endpoint of the raw ASGI plane needs, since no middleware runs there: who asks, from where, refusals."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http.cookie import parse_cookie
from django.http.request import split_domain_port, validate_host

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ANYBODYS_BYTES = 64 * 1024
"""The largest body that is read without knowing whose it is: no more than fits into the head of a request anyway."""
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class Refused(Exception):
    """Nothing was changed. `status` is the HTTP status that says what kind of refusal it is."""

    status = 400
    sentence = "That could not be done. Nothing was changed."

    def __init__(self, sentence: str = "") -> None:
        self.sentence = sentence or self.sentence
        super().__init__(type(self).__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What this plane reads of a request."""

    method: str
    path: tuple[str, ...]
    headers: dict[bytes, bytes]
    query: bytes
    secure: bool

    @property
    def cookie(self) -> str:
        # Django's reading: a cookie that another program on this host set badly does not hide ours.
        return parse_cookie(self.headers.get(b"cookie", b"").decode("latin-1")).get(settings.SESSION_COOKIE_NAME, "")


def read_request(scope: Scope) -> Request:
    """The request; `path` without the plane's own first part."""
    return Request(
        scope["method"],
        tuple(scope["path"].strip("/").split("/"))[1:],
        dict(scope["headers"]),
        scope["query_string"],
        scope.get("scheme") == "https",
    )


def check_origin(request: Request) -> None:
    """Refuse hosts that are not ours and requests that another site's page makes. Raises Refused."""
    host = request.headers.get(b"host", b"").decode("latin-1")
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        raise Refused("This address is not one that Mindstage answers to.")
    origin = request.headers.get(b"origin")
    site = request.headers.get(b"sec-fetch-site")
    ours = f"{'https' if request.secure else 'http'}://{host}".encode("latin-1")
    same = site == b"same-origin" if site else origin == ours
    foreign = site in (b"cross-site", b"same-site") or (origin is not None and origin != ours)
    if foreign or (request.method == "POST" and not same):
        raise ForeignPage


class ForeignPage(Refused):
    status = 403
    sentence = "This request did not come from a page of this Mindstage. Nothing was changed."


async def refuse(send: Send, refusal: Refused) -> None:
    body = json.dumps({"say": refusal.sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *SECURITY_HEADERS]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
