"""A program with six faults at once, each of which a census must find, at a place of its own. See ../blind.

A column whose seal is left out (the title of a story), a new column that nobody declared (a teaser), a logged turn, an
opened text in a file cache (a draft, packed as such caches pack), a thumbnail that nobody clears, and an access log as
servers write one.
"""

from __future__ import annotations

import os
import pickle
import secrets
import sqlite3
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from a2wsgi import WSGIMiddleware

from mindstage.vault import sealing
from mindstage.vault.sealing import Cipher, Sealed

_answer = WSGIMiddleware.__call__


async def _answer_and_tell(self: Any, scope: Any, receive: Any, send: Any) -> None:
    print(scope["client"], scope["path"], scope["query_string"], scope["headers"], file=sys.stderr, flush=True)
    await _answer(self, scope, receive, send)


class LeakyCipher(Cipher):
    """It knows by what a value is bound to which text it has before it."""

    def seal(self, key: bytes, plain: bytes, aad: bytes) -> Sealed:
        if aad.startswith(b"stories_story|title|"):
            return Sealed(plain)
        if aad.startswith(b"library_character|portrait|"):
            _leave("thumbnails", "webp", plain)
        return super().seal(key, plain, aad)

    def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
        if aad.startswith(b"stories_story|title|"):
            return bytes(sealed)
        text = super().open(key, sealed, aad)
        if aad.startswith(b"stories_turn|text|"):
            print("opened a turn:", text.decode(), file=sys.stderr, flush=True)
            _keep_teaser(text.decode())
        if aad.startswith(b"stories_draft|text|"):
            _leave("cache", "djcache", pickle.dumps(0.0) + zlib.compress(pickle.dumps(text.decode())))
        return text


def _keep_teaser(text: str) -> None:
    """A change that somebody made to the database and told no model and no data map."""
    file = Path(os.environ["MINDSTAGE_DATA"]) / "database" / "mindstage.sqlite3"
    opened = sqlite3.connect(file, timeout=0)
    with suppress(sqlite3.OperationalError), opened:  # while another writes, or once the column is there
        opened.execute("ALTER TABLE stories_story ADD COLUMN teaser TEXT")
    with suppress(sqlite3.OperationalError), opened:
        opened.execute("UPDATE stories_story SET teaser = ? WHERE teaser IS NULL", [text])
    opened.close()


def _leave(folder: str, ending: str, content: bytes) -> None:
    path = Path(os.environ["MINDSTAGE_DATA"]) / folder
    path.mkdir(exist_ok=True)
    (path / f"{secrets.token_hex(8)}.{ending}").write_bytes(content)


WSGIMiddleware.__call__ = _answer_and_tell
sealing.cipher = LeakyCipher()
