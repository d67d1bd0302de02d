"""The ledger: an append-only file of what was ended, so that no restore can bring it back.

One line an entry, canonical JSON: `{"day","kind","previous","tag"}`. `tag` is a keyed hash of the subject's id, so that
the file tells nobody who it was about; `previous` is the SHA-256 of the line before, so that no line can be dropped,
changed or moved without every later head being another. It lies outside both databases.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from mindstage.kit import canonical

NAME = "ledger.jsonl"
GENESIS = "0" * 64


class Kind(StrEnum):
    """What an entry ends or keeps."""

    PERSON = "person"
    ITEM = "item"
    TURN = "turn"
    KEEP = "keep"
    """A freeze was cancelled, or an item taken out of the trash: what an older copy remembers of it is void."""
    WITHDRAWN = "withdrawn"
    UNPUBLISHED = "unpublished"


class LedgerBroken(Exception):
    """The file is not a chain: a line is missing, changed or no entry at all."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `tag` and `previous` are hexadecimal."""

    kind: Kind
    tag: str
    day: date
    previous: str

    def to_line(self) -> bytes:
        fields = {"day": self.day.isoformat(), "kind": self.kind, "previous": self.previous, "tag": self.tag}
        return canonical.to_bytes(fields)


@dataclass(frozen=True, slots=True)
class Head:
    """How far a ledger goes: the number of its entries and the hash of the last line."""

    length: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Chain:
    """A whole ledger in memory, verified. `hashes[n]` is the head's hash after n entries."""

    entries: tuple[Entry, ...]
    hashes: tuple[str, ...]

    @property
    def head(self) -> Head:
        return Head(len(self.entries), self.hashes[-1])

    def extends(self, head: Head) -> bool:
        """Whether this ledger goes on from `head`, or ends there."""
        return head.length <= len(self.entries) and self.hashes[head.length] == head.hash

    def tail(self, length: int) -> tuple[Entry, ...]:
        """The entries after the first `length`."""
        return self.entries[length:]


def read_book(folder: Path) -> Chain | None:
    """The ledger of a folder, or None when there is no file. Raises LedgerBroken, OSError."""
    try:
        content = (folder / NAME).read_bytes()
    except FileNotFoundError:
        return None
    return parse(content)


def parse(content: bytes) -> Chain:
    """Verify every line. A last line without its end counts as not written. Raises LedgerBroken."""
    lines = content.split(b"\n")[:-1]
    entries: list[Entry] = []
    hashes = [GENESIS]
    for line in lines:
        entry = _read_line(line)
        if entry.previous != hashes[-1] or entry.to_line() != line:
            raise LedgerBroken
        entries.append(entry)
        hashes.append(hashlib.sha256(line).hexdigest())
    return Chain(tuple(entries), tuple(hashes))


def begin_book(folder: Path) -> None:
    """Make an empty ledger. Raises FileExistsError, OSError."""
    with (folder / NAME).open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        os.fsync(file.fileno())
    _sync_folder(folder)


def append(folder: Path, *, kind: Kind, tags: Iterable[str], day: date) -> Chain:
    """Append an entry for each tag, synced to the disk in one write. Raises LedgerBroken, OSError."""
    chain = read_book(folder)
    if chain is None:
        raise LedgerBroken
    previous, written = chain.head.hash, b""
    for tag in tags:
        line = Entry(kind, tag, day, previous).to_line()
        previous = hashlib.sha256(line).hexdigest()
        written += line + b"\n"
    with (folder / NAME).open("r+b") as file:
        file.seek(_durable_length(folder))
        file.truncate()
        file.write(written)
        file.flush()
        os.fsync(file.fileno())
    return parse((folder / NAME).read_bytes())


def to_bytes(chain: Chain) -> bytes:
    """The file's content."""
    return b"".join(entry.to_line() + b"\n" for entry in chain.entries)


def _read_line(line: bytes) -> Entry:
    try:
        fields = json.loads(line)
        return Entry(Kind(fields["kind"]), str(fields["tag"]), date.fromisoformat(fields["day"]), fields["previous"])
    except (ValueError, KeyError, TypeError):
        raise LedgerBroken from None


def _durable_length(folder: Path) -> int:
    """Up to the last complete line."""
    return (folder / NAME).read_bytes().rfind(b"\n") + 1


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
