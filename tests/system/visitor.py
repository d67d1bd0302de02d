"""A person at the running program by HTTP: signs up, begins stories, plays lines and reads streams as they come."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from people import PASSPHRASE
from system.program import Program


@dataclass
class Visitor:
    """Cookies in one place, and the forms of the pages."""

    program: Program
    cookies: dict[str, str] = field(default_factory=dict)

    def sign_up(self, handle: str = "ada") -> None:
        answer = self.post("/account/new/", {"handle": handle, "passphrase": PASSPHRASE, "age_band": "18_plus"})
        assert answer.status == 302, answer.status
        assert "session" in self.cookies

    def begin(self, scenario: str) -> str:
        """Begin a story; its id."""
        answer = self.post("/stories/", {"scenario": scenario, "greeting": "0"}, page=f"/scenarios/{scenario}/")
        found = re.fullmatch(r"/stories/([0-9a-f-]{36})/", answer.headers["Location"] or "")
        assert found
        return found[1]

    def post(self, path: str, form: dict[str, str], *, page: str = "") -> http.client.HTTPResponse:
        """Fill in the form of a page and send it."""
        body = urlencode({**form, "csrfmiddlewaretoken": self._token(page or path)})
        answer = self.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer.read()
        return answer

    def bring_card(self, name: str, data: bytes) -> tuple[int, str]:
        """Choose a file on the page for cards and send it: status and page."""
        parts = (
            ('name="csrfmiddlewaretoken"', self._token("/characters/new/").encode()),
            (f'name="card"; filename="{name}"', data),
        )
        body = b"".join(
            b"--limit\r\nContent-Disposition: form-data; " + told.encode() + b"\r\n\r\n" + value + b"\r\n"
            for told, value in parts
        )
        kind = {"Content-Type": "multipart/form-data; boundary=limit"}
        answer = self.ask("POST", "/characters/", body + b"--limit--\r\n", kind)
        return answer.status, answer.read().decode()

    def _token(self, page: str) -> str:
        _, shown = self.get(page)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown)
        assert token
        return token[1]

    def get(self, path: str) -> tuple[int, str]:
        answer = self.ask("GET", path)
        return answer.status, answer.read().decode()

    def ask(
        self, method: str, path: str, body: str | bytes | None = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.program.port, timeout=20)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        ours = {"Origin": self.program.address, "Sec-Fetch-Site": "same-origin", "Cookie": cookie}
        connection.request(method, path, body, {**ours, **(headers or {})})
        answer = connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0].strip('"')
        return answer

    def play(self, story: str, text: str, *, client_id: uuid.UUID | None = None) -> Listener:
        """Play a line; its stream is read in a thread of its own."""
        body = json.dumps({"mode": "do", "text": text, "client_turn_id": str(client_id or uuid.uuid4())})
        return Listener(self, "POST", f"/stream/stories/{story}/turns", body)

    def listen(self, run: str) -> Listener:
        """Read a run from its first character on."""
        return Listener(self, "GET", f"/stream/runs/{run}?after=0")


class Listener:
    """One stream: its events, and when each piece of text arrived (monotonic clock, characters so far)."""

    def __init__(self, visitor: Visitor, method: str, path: str, body: str | None = None) -> None:
        self.begun: dict[str, Any] | None = None
        self.done: dict[str, Any] | None = None
        self.status = 0
        self.text = ""
        self.arrivals: list[tuple[float, int]] = []
        self._asked = (method, path, body)
        self._visitor = visitor
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def to_end(self) -> Listener:
        """Wait until the stream has ended, or broken off."""
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self

    def _listen(self) -> None:
        try:
            answer = self._visitor.ask(*self._asked)
            self.status = answer.status
            event = ""
            while line := answer.readline():
                at = time.monotonic()
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    self._take(event, json.loads(value), at)
        except (OSError, http.client.HTTPException, ValueError):
            return  # the program was killed

    def _take(self, event: str, data: dict[str, Any], at: float) -> None:
        if event == "begun":
            self.begun = data
        elif event == "done":
            self.done = data
        elif event == "delta":
            self.text += data["text"]
            self.arrivals.append((at, len(self.text)))
