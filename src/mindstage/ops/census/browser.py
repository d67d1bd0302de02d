"""A small browser: cookies, forms, uploads, and the stream of a reply. It remembers every page that it was shown."""

from __future__ import annotations

import http.client
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import urlencode

SECONDS: Final = 30
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')


class Unexpected(Exception):
    """The program did not answer as the census knows it; its text names the request, never what was written."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    location: str
    body: bytes = field(repr=False)


class Browser:
    """`headers` go along with every request; `address` is the loopback address that it comes from."""

    def __init__(self, port: int, *, headers: Mapping[str, str], address: str = "127.0.0.1") -> None:
        self.port = port
        self.headers = dict(headers)
        self.address = address
        self.cookies: dict[str, str] = {}
        self.cookies_seen: set[str] = set()
        self.shown = bytearray()
        self.posted: set[str] = set()
        """Every path to which something was sent."""
        self._token = ""

    def get(self, path: str, *, expect: int = 200, query: Mapping[str, str] | None = None) -> Answer:
        """One page. Its body is remembered, and its form token. Raises Unexpected."""
        answer = self._ask("GET", path + (f"?{urlencode(query)}" if query else ""), expect=expect, name=path)
        self._remember(answer.body)
        return answer

    def try_get(self, path: str) -> bytes:
        """One page, remembered too; b"" when it is answered with no page. Raises Unexpected when with nothing."""
        answer = self._ask("GET", path, expect=None, name=path)
        self._remember(answer.body)
        return answer.body if answer.status == 200 else b""

    def take(self, path: str) -> Answer:
        """A download; it is no page, so its body is not remembered. Raises Unexpected."""
        return self._ask("GET", path, expect=200, name=path)

    def post(
        self,
        path: str,
        fields: Mapping[str, str],
        *,
        expect: int = 302,
        partial: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a form. Raises Unexpected."""
        body = urlencode({**fields, "csrfmiddlewaretoken": self._token}).encode()
        more = {"X-Partial": "1"} if partial else {}
        content = {"Content-Type": "application/x-www-form-urlencoded", **more, **(headers or {})}
        return self._ask("POST", path, body, content, expect=expect, name=path)

    def try_post(self, path: str, fields: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a form, whatever the answer is. Raises Unexpected when there is none."""
        body = urlencode({**fields, "csrfmiddlewaretoken": self._token}).encode()
        content = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self._ask("POST", path, body, content, expect=None, name=path)

    def upload(self, path: str, content: bytes, *, field_name: str, file_name: str, expect: int) -> Answer:
        """Send a file as a form does. Raises Unexpected."""
        mark = secrets.token_hex(16)
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{self._token}\r\n'.encode(),
            f'--{mark}\r\nContent-Disposition: form-data; name="{field_name}"; filename="{file_name}"\r\n'.encode(),
            b"Content-Type: application/octet-stream\r\n\r\n",
            content,
            f"\r\n--{mark}--\r\n".encode(),
        ]
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        return self._ask("POST", path, b"".join(parts), headers, expect=expect, name=path)

    def play(self, path: str, content: Mapping[str, Any], *, expect: int = 200) -> dict[str, Any]:
        """Take a turn or ask for a reply, and read its stream to the end: what its first event says."""
        body = json.dumps(content).encode()
        answer = self._ask("POST", path, body, {"Content-Type": "application/json"}, expect=expect, name=path)
        events = [frame.split(b"data: ", 1)[1] for frame in answer.body.split(b"\n\n") if b"event: begun" in frame]
        return dict(json.loads(events[0])) if events else {}

    def _remember(self, page: bytes) -> None:
        self.shown += page
        if found := _TOKEN.search(page):
            self._token = found[1].decode()

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        expect: int | None,
        name: str,
    ) -> Answer:
        origin = {"Origin": f"http://127.0.0.1:{self.port}"} if method == "POST" else {}
        if method == "POST":
            self.posted.add(path)
        cookies = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=SECONDS, source_address=(self.address, 0)
        )
        try:
            connection.request(method, path, body, {**self.headers, **origin, "Cookie": cookies, **(headers or {})})
            response = connection.getresponse()
            answer = Answer(response.status, response.headers.get("Location", ""), response.read())
        except (OSError, http.client.HTTPException) as trouble:
            raise Unexpected(f"{method} {_template(name)} was not answered ({type(trouble).__name__}).") from None
        finally:
            connection.close()
        self._take_cookies(response.headers.get_all("Set-Cookie") or [])
        if expect is not None and answer.status != expect:
            raise Unexpected(f"{method} {_template(name)} was answered with {answer.status} instead of {expect}.")
        return answer

    def _take_cookies(self, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel.value:
                    self.cookies_seen.add(morsel.value)


def _template(path: str) -> str:
    """A path for a sentence, without the identifiers in it."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", path)
