"""A PostgreSQL server for tests, if one answers: TEST_POSTGRES, or the one on this machine's own port."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

HERE = "postgresql://postgres@127.0.0.1:5432"


def find_server() -> str | None:
    """The address of a server on which this user may make databases, or None."""
    import psycopg

    server = urlsplit(os.environ.get("TEST_POSTGRES") or HERE)._replace(path="").geturl()
    try:
        with psycopg.connect(f"{server}/postgres", connect_timeout=2) as connection:
            row = connection.execute("SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user").fetchone()
    except psycopg.OperationalError:
        return None
    return server if row and row[0] else None


@contextmanager
def throwaway_databases(server: str) -> Iterator[tuple[str, str]]:
    """Two new databases, main and keystore, that end with the block."""
    import psycopg

    names = [f"mindstage_{uuid.uuid4().hex[:12]}{of}" for of in ("", "_keys")]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        for name in names:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # a name made here
        try:
            yield f"{server}/{names[0]}", f"{server}/{names[1]}"
        finally:
            for name in names:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type]
