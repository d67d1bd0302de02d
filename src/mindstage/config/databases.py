"""The two databases: the main one, and the keystore in a file (or server) of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

# secure_delete overwrites what is deleted; temp_store keeps sorts out of temporary files; FULL syncs each commit (the
# thread of turns does it itself: stories/write_ahead.py).
_SHARED = ("secure_delete = ON", "temp_store = MEMORY", "foreign_keys = ON", "synchronous = FULL")
_MAIN = ("journal_mode = WAL", "journal_size_limit = 16777216", "cache_size = -8000")
# A write-ahead log keeps copies of deleted keys long after their end; a rollback journal is gone with its commit.
_KEYSTORE = ("journal_mode = DELETE", "cache_size = -1000")


def database(url: str, file: Path, *, keystore: bool = False) -> dict[str, Any]:
    """Django's settings for one database: SQLite in `file`, or the server that `url` (postgresql://) names."""
    return _postgres(url) if url else _sqlite(file, keystore=keystore)


def _sqlite(file: Path, *, keystore: bool) -> dict[str, Any]:
    pragmas = (*(_KEYSTORE if keystore else _MAIN), *_SHARED)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            "init_command": "".join(f"PRAGMA {pragma};" for pragma in pragmas),
        },
        "TEST": {"NAME": str(file.with_name(f"test-{file.name}"))},
    }


def _postgres(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": {"pool": True},
    }


class KeystoreRouter:
    """The vault's models live in the keystore, all others in the main database, and never the other way."""

    def db_for_read(self, model: Any, **_: Any) -> str:
        return "keystore" if model._meta.app_label == "vault" else "default"

    db_for_write = db_for_read

    def allow_relation(self, one: Any, other: Any, **_: Any) -> bool:
        return bool((one._meta.app_label == "vault") == (other._meta.app_label == "vault"))

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool:
        return bool(app_label == "vault") == (db == "keystore")
