"""The mail server of a census: it takes letters on loopback and keeps them in memory."""

from __future__ import annotations

import re
import socketserver
import threading
import time
from types import TracebackType
from typing import Final, Self

SECONDS: Final = 20.0
_CODE = re.compile(r"\b([0-9a-z]{4}-[0-9a-z]{4})\b")


class _Session(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as one letter needs."""

    def handle(self) -> None:
        self._say(b"220 here")
        letter: list[bytes] | None = None
        while line := self.rfile.readline():
            if letter is not None:
                if line.rstrip() != b".":
                    letter.append(line)
                    continue
                self.server.letters.append(b"".join(letter).decode("utf-8", "replace"))  # type: ignore[attr-defined]
                letter = None
            match line[:4].upper().strip():
                case b"DATA":
                    letter = []
                    self._say(b"354 go on")
                case b"QUIT":
                    self._say(b"221 bye")
                    return
                case _:
                    self._say(b"250 here")

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


class Mailbox(socketserver.ThreadingTCPServer):
    """`with Mailbox() as mailbox:` runs it in a thread of its own."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.letters: list[str] = []

    @property
    def address(self) -> str:
        """As the setting `mail` names it."""
        return f"smtp+plain://127.0.0.1:{self.server_address[1]}"

    def code_for(self, address: str, *, after: int = 0) -> str:
        """The single-use code in a letter to this address, `after` so many; waits for it. Raises TimeoutError."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for letter in self.letters[after:]:
                if address in letter and (found := _CODE.search(letter.partition("\n\n")[2] or letter)):
                    return found[1]
            time.sleep(0.02)
        raise TimeoutError("no letter came")

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: self.serve_forever(poll_interval=0.05), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.shutdown()
        self._thread.join(SECONDS)
        self.server_close()
