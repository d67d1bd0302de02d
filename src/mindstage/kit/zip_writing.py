"""Write a ZIP archive as a stream of bytes, forwards only, with the memory of one entry's window.

Sans I/O: each method gives the bytes that come next. PKWARE APPNOTE 6.3.10: streamed entries carry their sums behind
them (data descriptor, always in its ZIP64 form), whole ones in front, as EPUB asks of its first file. Names are UTF-8,
dates are the ZIP's own beginning (1980), so that one content gives one archive.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

STORED, DEFLATED = 0, 8
_UTF8, _DESCRIPTOR = 0x800, 0x8
_DATE = 0x21  # 1 January 1980
_BIG = 0xFFFFFFFF
_FILE = 0o100600 << 16


@dataclass(slots=True)
class _Entry:
    name: bytes
    flags: int
    method: int
    at: int
    crc: int = 0
    packed: int = 0
    size: int = 0


class ZipWriter:
    """One archive. `level` is zlib's: 1 is fast, 9 is small."""

    def __init__(self, *, level: int = 6) -> None:
        self._level = level
        self._entries: list[_Entry] = []
        self._at = 0
        self._packer = zlib.compressobj(level, zlib.DEFLATED, -15)

    def whole(self, name: str, content: bytes, *, stored: bool = False) -> bytes:
        """An entry whose content is known: its sums stand in front of it."""
        packed = content if stored else self._squeeze(content)
        entry = _Entry(name.encode(), _UTF8, STORED if stored else DEFLATED, self._at)
        entry.crc, entry.packed, entry.size = zlib.crc32(content), len(packed), len(content)
        self._entries.append(entry)
        sums = struct.pack("<3I", entry.crc, entry.packed, entry.size)
        return self._count(_local(entry, 20) + sums + struct.pack("<2H", len(entry.name), 0) + entry.name + packed)

    def begin(self, name: str) -> bytes:
        """Begin an entry whose length nobody knows yet."""
        entry = _Entry(name.encode(), _UTF8 | _DESCRIPTOR, DEFLATED, self._at)
        self._entries.append(entry)
        self._packer = zlib.compressobj(self._level, zlib.DEFLATED, -15)
        big = struct.pack("<2H2Q", 1, 16, 0, 0)
        head = _local(entry, 45) + struct.pack("<3I2H", 0, _BIG, _BIG, len(entry.name), len(big))
        return self._count(head + entry.name + big)

    def feed(self, content: bytes) -> bytes:
        """More of the entry that was begun."""
        entry = self._entries[-1]
        entry.crc = zlib.crc32(content, entry.crc)
        entry.size += len(content)
        packed = self._packer.compress(content)
        entry.packed += len(packed)
        return self._count(packed)

    def end(self) -> bytes:
        """The end of the entry that was begun, and its sums."""
        entry = self._entries[-1]
        packed = self._packer.flush()
        entry.packed += len(packed)
        return self._count(packed + struct.pack("<4sI2Q", b"PK\7\x08", entry.crc, entry.packed, entry.size))

    def close(self) -> bytes:
        """The directory, which ends the archive."""
        directory = b"".join(_central(entry) for entry in self._entries)
        count, at = len(self._entries), self._at
        end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), at)
        where = struct.pack("<4sIQI", b"PK\6\7", 0, at + len(directory), 1)
        least = min(count, 0xFFFF)
        end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, least, least, min(len(directory), _BIG), min(at, _BIG), 0)
        big = count >= 0xFFFF or max(at, len(directory)) >= _BIG
        return directory + (end64 + where if big else b"") + end

    def _squeeze(self, content: bytes) -> bytes:
        packer = zlib.compressobj(self._level, zlib.DEFLATED, -15)
        return packer.compress(content) + packer.flush()

    def _count(self, written: bytes) -> bytes:
        self._at += len(written)
        return written


def _local(entry: _Entry, version: int) -> bytes:
    return struct.pack("<4s5H", b"PK\3\4", version, entry.flags, entry.method, 0, _DATE)


def _central(entry: _Entry) -> bytes:
    """The entry in the directory; its figures go into a ZIP64 field where they have no room."""
    figures = [entry.size, entry.packed, entry.at]
    large = [value for value in figures if value >= _BIG]
    extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    size, packed, at = (min(value, _BIG) for value in figures)
    version = 45 if large or entry.flags & _DESCRIPTOR else 20
    head = struct.pack("<4s6H", b"PK\1\2", 3 << 8 | 45, version, entry.flags, entry.method, 0, _DATE)
    sums = struct.pack("<3I", entry.crc, packed, size)
    rest = struct.pack("<5H2I", len(entry.name), len(extra), 0, 0, 0, _FILE, at)
    return head + sums + rest + entry.name + extra
