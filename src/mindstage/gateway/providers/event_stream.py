"""Server-sent events, taken apart as bytes arrive. Pure: no sockets, no clock.

The grammar is that of https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6. Only `data`
matters to us; `event`, `id` and `retry` are read past. Work is done on bytes and a line is decoded whole, so a
character split between two chunks is never torn.
"""

from typing import Final

LONGEST_LINE: Final = 1_048_576


class LineTooLong(Exception):
    """A line, or the data of one event, outgrew what any honest server sends."""


class EventStream:
    """Feed it chunks; it hands back the data of every event that has become whole."""

    __slots__ = ("_data", "_data_size", "_limit", "_rest", "_started")

    def __init__(self, *, longest_line: int = LONGEST_LINE) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._data_size = 0
        self._limit = longest_line
        self._started = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data payloads completed by this chunk, in order; raises LineTooLong."""
        text = self._rest + chunk if self._rest else chunk
        if not self._started:
            if len(text) < 3 and b"\xef\xbb\xbf".startswith(text):
                self._rest = text
                return []
            text = text.removeprefix(b"\xef\xbb\xbf")
            self._started = True
        held_back = b""
        if text.endswith(b"\r"):  # its line feed may come with the next chunk
            text, held_back = text[:-1], b"\r"
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, unfinished = text.split(b"\n")
        if len(unfinished) > self._limit:
            raise LineTooLong
        self._rest = unfinished + held_back
        return self._read(lines)

    def _read(self, lines: list[bytes]) -> list[bytes]:
        whole: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._keep(line[6:] if line[5:6] == b" " else line[5:])
            elif line == b"data":
                self._keep(b"")
            elif not line and self._data:
                whole.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                self._data = []
                self._data_size = 0
        return whole

    def _keep(self, value: bytes) -> None:
        self._data.append(value)
        self._data_size += len(value) + 1
        if self._data_size > self._limit:
            raise LineTooLong
