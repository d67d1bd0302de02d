"""Pack what every room holds of a person into one ZIP, as a stream: `files` in one thread, `to_zip` in another.

The manifest stands at the end: the SHA-256 of every file before it, and its signature beside it.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mindstage.datamap.holdings import holdings
from mindstage.datamap.porting import Edition, Pieces, Porter
from mindstage.kit import canonical, clock
from mindstage.kit.zip_writing import ZipWriter
from mindstage.ledger import signing

FORMAT = "mindstage-export-1"
MANIFEST, SIGNATURE, README, SCHEMA = "manifest.json", "signature.json", "README.txt", "schema.json"
BLOCK = 65_536
_LEVEL = 1
"""Prose packs to 40 % at the fastest level and to 35 % at the usual one, at a third of the speed."""

_WORDS = b"""Your data, taken out of Mindstage.

account.json, consents.json, sessions.json ...  what is held about your account, and who got parts of it
stories/*/story.json and turns-*.json           each story whole: every branch, every version, the trash too
stories/*/story.md, .html, .epub                the same to read: the line you play, in the versions you chose
stories/*/chats/*.jsonl                         the same as SillyTavern chats: each branch, or the newest of very many
characters/*/card.json and character.json       each character as it came
characters/*/card-v2.json, card-v3.json, card.png, lorebook.json    the same for other programs
personas, lorebooks, scenarios/*/material.json  what you keep for stories; a lorebook also as lorebook.json
schema.json                                     what stands in the data files (JSON Schema)
manifest.json                                   the SHA-256 of every file
signature.json                                  an Ed25519 signature of manifest.json

Not in here: passphrases and keys, which open things; whatever is made anew from the rest.
To bring this into another Mindstage: its page Your data, or `mindstage import-data FILE --user HANDLE`.
"""


@dataclass(frozen=True, slots=True)
class Begin:
    """A file begins; its bytes follow."""

    name: str
    edition: bool


type Event = Begin | bytes


def list_files(person: uuid.UUID, told: Callable[[int], None] = lambda _: None) -> Iterator[Event]:
    """Every file of an archive, room by room. `told(n)`: n things (an account, a character, a story) are through."""
    yield Begin(README, edition=True)
    yield _WORDS
    yield Begin(SCHEMA, edition=True)
    yield schema()
    things: set[str] = set()
    for holding in reversed(holdings()):
        for name, value in holding.export(person):
            things.add("/".join(name.split("/")[:2]))
            told(len(things))
            yield from _file(name, value)


def schema() -> bytes:
    """The JSON Schema of the data files; docs/schemas has the same."""
    return (Path(__file__).parent / "schemas" / "export-1.json").read_bytes()


def count_things(person: uuid.UUID) -> int:
    """How many things there are, for the share that a person sees."""
    return sum(holding.weigh(person) for holding in holdings() if isinstance(holding, Porter))


def _file(name: str, value: Any) -> Iterator[Event]:
    if isinstance(value, Pieces):
        yield Begin(name, value.edition)
        yield from _in_blocks(value.parts)
    elif isinstance(value, bytes):
        yield Begin(name, isinstance(value, Edition))
        yield value
    else:
        yield Begin(name if "." in name else f"{name}.json", edition=False)
        yield canonical.to_bytes(value)


def _in_blocks(parts: Iterable[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= BLOCK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def to_zip(events: Iterable[Event], *, seed: bytes) -> Iterator[bytes]:
    """The archive's bytes, with manifest and signature (by the holder of `seed`) at its end."""
    archive = ZipWriter(level=_LEVEL)
    listed: list[dict[str, Any]] = []
    digest = hashlib.sha256()
    size = 0

    def close_file() -> Iterator[bytes]:
        if listed:
            listed[-1] |= {"bytes": size, "sha256": digest.hexdigest()}
            yield archive.end()

    for event in events:
        if isinstance(event, Begin):
            yield from close_file()
            listed.append({"path": event.name, "edition": event.edition})
            digest, size = hashlib.sha256(), 0
            yield archive.begin(event.name)
        else:
            digest.update(event)
            size += len(event)
            yield archive.feed(event)
    yield from close_file()
    manifest = canonical.to_bytes({"format": FORMAT, "made_on": clock.today().isoformat(), "files": listed})
    yield archive.whole(MANIFEST, manifest) + archive.whole(SIGNATURE, _sign(manifest, seed)) + archive.close()


def _sign(manifest: bytes, seed: bytes) -> bytes:
    return canonical.to_bytes(
        {
            "algorithm": signing.ALGORITHM,
            "key": signing.to_text(signing.public_key(seed)),
            "signature": signing.to_text(signing.sign(manifest, seed=seed)),
        }
    )
