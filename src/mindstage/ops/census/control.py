"""The scanner's own proof: the words of this census, in every way that it claims to see, in files of their own."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import quopri
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from mindstage.datamap.scanner import Scanner
from mindstage.ops.census.places import sweep


def _zip(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("words", content)
    return file.getvalue()


WAYS: Final[dict[str, Callable[[str], bytes]]] = {
    "as it is": lambda word: word.encode(),
    "lower case": lambda word: word.lower().encode(),
    "upper case": lambda word: word.upper().encode(),
    "utf-16-le": lambda word: word.encode("utf-16-le"),
    "utf-16-be": lambda word: word.encode("utf-16-be"),
    "base64": lambda word: base64.b64encode(word.encode()),
    "base64, one on": lambda word: base64.b64encode(b"." + word.encode()),
    "base64, two on": lambda word: base64.b64encode(b".." + word.encode()),
    "base64url": lambda word: base64.urlsafe_b64encode(b"\xff\xfe" + word.encode() + b"\xfb\xff"),
    "hex": lambda word: word.encode().hex().encode(),
    "HEX": lambda word: word.encode().hex().upper().encode(),
    "url": lambda word: quote(word, safe="").encode(),
    "json": lambda word: json.dumps([word]).encode(),
    "quoted-printable": lambda word: quopri.encodestring(b"=" * 17 + word.encode()),
    "repr of bytes": lambda word: repr(word.encode()).encode(),
    "zlib": lambda word: zlib.compress(word.encode()),
    "gzip": lambda word: gzip.compress(word.encode()),
    "zip": lambda word: _zip(word.encode()),
    "json in base64 in zlib": lambda word: zlib.compress(base64.b64encode(json.dumps(word).encode())),
}


AT_ONCE: Final = 2_000
"""Words of one file: the scanner unpacks only so many streams of one."""


def find_blind_spots(words: Sequence[str], folder: Path) -> list[str]:
    """Write every word in every way into `folder`, and look: the ways in which a word was not seen. Raises OSError."""
    folder.mkdir(mode=0o700)
    for number, write in enumerate(WAYS.values()):
        for part in range(0, len(words), AT_ONCE):
            noise = [os.urandom(60) + b"\n" + write(word) + b"\n" for word in words[part : part + AT_ONCE]]
            (folder / f"{number}.{part}").write_bytes(b"".join(noise))
    found = {(one.place.partition(".")[0], one.word) for one in sweep(folder, Scanner(words)).found}
    return [way for number, way in enumerate(WAYS) if any((str(number), word) not in found for word in words)]
