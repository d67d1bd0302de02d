"""Look for words in bytes: in every spelling and encoding, and inside whatever is packed in them.

Bytes are *unfolded* first (base64, hex, URL, JSON and HTML escapes, zlib, gzip, zip members, the pixels of a PNG, and
these inside each other), then every view of them is searched for every spelling of every word. A word that is found
tells in which way it lay there, so that whoever reads the report knows where to look.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import unquote_to_bytes

from ahocorasick_rs import BytesAhoCorasick

DEPTH: Final = 4
"""How many layers are taken off: a card is JSON escapes in base64 in a packed chunk of a picture."""
MOST_UNPACKED: Final = 16 * 1024 * 1024
"""Bytes of one packed stream."""
_MOST_MEMBERS: Final = 10_000
_SHORTEST: Final = 8
"""Characters of a word: fewer would be found by chance."""


def _flags(method: int) -> list[int]:
    """The second bytes of a zlib head that go with a first one: both together are a multiple of 31 (RFC 1950)."""
    return [flags for flags in range(256) if (method * 256 + flags) % 31 == 0]


_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}(?:\r?\n[A-Za-z0-9+/_-]+)*")
_SIGNS = bytes(1 if re.match(rb"[A-Za-z0-9+/_-]", bytes([code])) else 0 for code in range(256))
_EIGHT = b"\1" * 8
_STANDARD = bytes.maketrans(b"-_", b"+/")
_HEX = re.compile(rb"[0-9A-Fa-f]{12,}")
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_JSON = re.compile(
    rb"\\(?:\\*u[0-9A-Fa-f]{4}(?:\\+u[0-9A-Fa-f]{4})*|\\*x[0-9A-Fa-f]{2}|\\*[\"\\/])"
)  # begins with one byte: quick to look for
_ENTITY = re.compile(rb"&#?[0-9A-Za-z]{1,8};")
_QUOTED = re.compile(rb"=(?:[0-9A-Fa-f]{2}|\r?\n)|\?=\r?\n[ \t]=\?[0-9A-Za-z-]{1,20}\?[qQ]\?")
"""As letters are written (RFC 2045 and 2047): a line may be broken in the middle of a word."""
_AROUND: Final = 200
"""Bytes before and after an escape that are looked at with it: a word may be escaped in part."""
_ZLIB = re.compile(
    b"|".join(
        re.escape(bytes([method])) + b"[" + b"".join(re.escape(bytes([flags])) for flags in _flags(method)) + b"]"
        for method in range(0x08, 0x80, 0x10)
    )
)
_GZIP = re.compile(rb"\x1f\x8b\x08")
_ZIP_MEMBER = re.compile(rb"PK\x03\x04")
_PNG = re.compile(rb"\x89PNG\r\n\x1a\n")


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """A word that was found. `way`: how it was written, the layers that were taken off first: "base64 > utf-8"."""

    word: str
    way: str


class Needles[Name]:
    """Bytes to look for, each under a name, all in one pass however many there are (Aho and Corasick, 1975)."""

    def __init__(self, needles: Iterable[tuple[bytes, Name]]) -> None:
        named = list(needles)
        self._names = [name for _, name in named]
        self._automaton = BytesAhoCorasick([needle for needle, _ in named])

    def found_in(self, content: bytes) -> Iterator[Name]:
        """The names of those that are in these bytes, each as often as it is."""
        for number, _, _ in self._automaton.find_matches_as_indexes(content, overlapping=True):
            yield self._names[number]


class Scanner:
    """Knows a set of words and finds them. Words shorter than 8 characters would be found by chance: ValueError."""

    def __init__(self, words: Iterable[str]) -> None:
        self._needles = Needles(
            (needle, (word, name)) for word in map(_refuse_short, words) for needle, name in _spellings(word).items()
        )

    def scan(self, content: bytes) -> set[Sighting]:
        """Every word that is in these bytes, however it is written."""
        return {
            Sighting(word, " > ".join((*layers, name)))
            for layers, view in unfold(content)
            for word, name in self._needles.found_in(view.lower())
        }


def _refuse_short(word: str) -> str:
    if len(word) < _SHORTEST:
        raise ValueError("a word of fewer than 8 characters would be found by chance")
    return word


def unfold(content: bytes, *, layers: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """The bytes themselves, then all that is packed or escaped in them, with the layers taken off to get there."""
    yield layers, content
    if len(layers) < DEPTH:
        for name, inner in _inside(content):
            yield from unfold(inner, layers=(*layers, name))


def _inside(content: bytes) -> Iterator[tuple[str, bytes]]:
    """One layer down. What belongs together is joined with a space, so that there are few views to search."""
    runs = list(_base64_runs(content))
    if runs:
        yield "base64", b" ".join(_decode_base64(runs))
    if digits := _HEX.findall(b" ".join(runs)):  # each of its digits is a sign of base64 too
        yield "hex", b" ".join(_decode_hex(digits))
    for name, pattern, unescape in (
        ("url", _PERCENT, unquote_to_bytes),
        ("json", _JSON, _unescape_json),
        ("html", _ENTITY, _unescape_html),
        ("quoted", _QUOTED, _unescape_quoted),
    ):
        if escaped := list(_around(pattern, content)):
            yield name, b" ".join(map(unescape, escaped))
    yield from _unpack(content)


def _base64_runs(content: bytes) -> Iterator[bytes]:
    """All that `_BASE64` matches.

    Sealed bytes hold few: a search for eight signs in a row passes over them in a seventh of the pattern's time.
    """
    signs = content.translate(_SIGNS)
    at = signs.find(_EIGHT)
    while at >= 0:
        run = _BASE64.match(content, at)
        assert run
        yield run[0]
        at = signs.find(_EIGHT, run.end())


def _decode_base64(runs: list[bytes]) -> Iterator[bytes]:
    """Every run from each of four beginnings, because nobody knows where in it the encoded bytes began."""
    for run in runs:
        clean = run.replace(b"\r", b"").replace(b"\n", b"").translate(_STANDARD)
        for start in range(4):
            part = clean[start:]
            if len(part) % 4 == 1:
                part = part[:-1]  # 6 bits are no byte
            yield base64.b64decode(part + b"A" * (-len(part) % 4))


def _decode_hex(runs: list[bytes]) -> Iterator[bytes]:
    for run in runs:
        for part in (run, run[1:]):
            yield binascii.unhexlify(part[: len(part) // 2 * 2])


def _around(pattern: re.Pattern[bytes], content: bytes) -> Iterator[bytes]:
    """The stretches of the content that have escapes in them."""
    start = end = 0
    for match in pattern.finditer(content):
        if match.start() > end + _AROUND and end:
            yield content[start : end + _AROUND]
            end = 0
        if not end:
            start = max(match.start() - _AROUND, 0)
        end = match.end()
    if end:
        yield content[start : end + _AROUND]


def _unescape_json(text: bytes) -> bytes:
    """JSON's and Python's escapes, once or doubled, in UTF-8. Two digits are a byte or a character: both are tried."""
    plain = _JSON.sub(_character, text)
    return plain if b"\\x" not in text else plain + b" " + _JSON.sub(partial(_character, of_text=True), text)


def _character(match: re.Match[bytes], *, of_text: bool = False) -> bytes:
    if match[0][-3:-2] == b"x":
        code = int(match[0][-2:], 16)
        return chr(code).encode() if of_text else bytes([code])
    codes = re.findall(rb"u([0-9A-Fa-f]{4})", match[0])
    if not codes:
        return match[0][-1:]
    text = b"".join(int(code, 16).to_bytes(2, "big") for code in codes).decode("utf-16-be", "replace")
    return text.encode()


def _unescape_quoted(text: bytes) -> bytes:
    return _QUOTED.sub(lambda match: bytes.fromhex(match[0][1:].decode()) if match[0][1:].isalnum() else b"", text)


def _unescape_html(text: bytes) -> bytes:
    return html.unescape(text.decode("utf-8", "replace")).encode()


def _unpack(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Packed streams. What merely looks like one ends in nothing."""
    members = 0
    for name, pattern, window in (("zlib", _ZLIB, 15), ("gzip", _GZIP, 31)):
        for match in pattern.finditer(content):
            if (unpacked := _inflate(content, match.start(), window)) and members < _MOST_MEMBERS:
                members += 1
                yield name, unpacked
    for match in _ZIP_MEMBER.finditer(content):
        if unpacked := _zip_member(content, match.start()):
            yield "zip", unpacked
    for match in _PNG.finditer(content):
        if pixels := _png_pixels(content, match.start()):
            yield "png", pixels


def _inflate(content: bytes, start: int, window: int) -> bytes:
    """What a stream holds from `start` on, also when it breaks off. Fewer than 8 bytes are chance and count as none."""
    stream, unpacked, at = zlib.decompressobj(window), bytearray(), start
    try:
        while at < len(content) and not stream.eof and len(unpacked) < MOST_UNPACKED:
            unpacked += stream.decompress(content[at : at + 64])
            at += 64
    except zlib.error:
        pass
    return bytes(unpacked) if len(unpacked) >= 8 else b""


def _zip_member(content: bytes, start: int) -> bytes:
    """A member of an archive by its local header (APPNOTE.TXT, 4.3.7)."""
    head = content[start : start + 30]
    if len(head) < 30:
        return b""
    data = start + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    return _inflate(content, data, -15) if head[8:10] == b"\x08\x00" else b""


def _png_pixels(content: bytes, start: int) -> bytes:
    """The pixels' stream of a PNG, joined from its parts."""
    at = start + 8
    parts: list[bytes] = []
    while (head := content[at : at + 8])[4:].isalpha() and len(parts) < _MOST_MEMBERS:
        length = int.from_bytes(head[:4])
        if head[4:] == b"IDAT":
            parts.append(content[at + 8 : at + 8 + length])
        at += length + 12
    return _inflate(b"".join(parts), 0, 15)


def _spellings(word: str) -> dict[bytes, str]:
    """How a word may stand in bytes whose ASCII letters were made small -> the name of that way."""
    ways: dict[bytes, str] = {}
    for text in (word, word.lower(), word.upper(), word.casefold()):
        for shape in (text, *(unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC"))):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be", "latin-1"):
                try:
                    ways.setdefault(shape.encode(encoding).lower(), encoding)
                except UnicodeEncodeError:
                    continue
    return ways
