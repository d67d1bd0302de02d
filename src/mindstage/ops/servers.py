"""A database that lies on a PostgreSQL server: copied out and put back by PostgreSQL's own programs."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

_READ = ("pg_restore", "--no-owner", "--no-privileges", "--schema=public", "--file=-")
_BEFORE = "CREATE SCHEMA IF NOT EXISTS public;\nALTER SCHEMA public RENAME TO former;\nCREATE SCHEMA public;\n"
_AFTER = "\nALTER SCHEMA public RENAME TO {schema};\nALTER SCHEMA former RENAME TO public;\n"
_SETTING = re.compile(rb"^SET (\w+) = [^;\n]*;$", re.MULTILINE)
_HEAD_BYTES = 4096


class ServerRefused(Exception):
    """The server or one of its programs did not do what it was asked; nothing was changed there."""


def dump(url: str, path: Path) -> None:
    """A consistent copy of a database. Raises ServerRefused, OSError."""
    _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}"], url)


def is_dump(path: Path) -> bool:
    """Whether `dump` wrote this file."""
    with path.open("rb") as file:
        return file.read(5) == b"PGDMP"


def dump_as_sql(url: str, path: Path) -> None:
    """The same as one SQL script. Raises ServerRefused, OSError."""
    _run(["pg_dump", "--format=plain", "--no-owner", "--no-privileges", f"--file={path}"], url)


def write_as_sql(dumped: Path, path: Path) -> None:
    """What `dump` wrote, as one SQL script; without any server. Raises ServerRefused, OSError."""
    _run(["pg_restore", "--no-owner", "--no-privileges", f"--file={path}", str(dumped)], "")


def ask(url: str, sql: str) -> str:
    """What a server answers to one statement, as text. Raises ServerRefused, OSError."""
    command = [
        "psql",
        "--no-psqlrc",
        "--quiet",
        "--tuples-only",
        "--no-align",
        "-v",
        "ON_ERROR_STOP=1",
        f"--command={sql}",
    ]
    with tempfile.TemporaryFile() as said:
        _run(command, url, output=said.fileno())
        said.seek(0)
        return said.read().decode("utf-8", "replace").strip()


def put_beside(url: str, path: Path, *, schema: str) -> None:
    """Fill a new schema beside the live one with a copy: one transaction, so that a crash leaves what was there.

    A copy names its tables `public.…`: while it is read, the live schema steps aside. Raises ServerRefused, OSError.
    """
    script = path.with_name(path.name + ".sql")
    with os.fdopen(os.open(script, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(_BEFORE.encode())
        file.flush()
        _run([*_READ, str(path)], url, output=file.fileno())
        file.seek(0, os.SEEK_END)
        file.write(_AFTER.format(schema=schema).encode())
    blank_unknown_settings(script, url)
    _run(["psql", "--no-psqlrc", "--quiet", "--single-transaction", "-v", "ON_ERROR_STOP=1", f"--file={script}"], url)


def blank_unknown_settings(script: Path, url: str) -> None:
    """Blank, at the head of a script, what sets a setting that this server does not have.

    A newer pg_restore than the server begins with such lines: 17 sets transaction_timeout, and 16 refuses it.
    Raises ServerRefused, OSError.
    """
    with script.open("r+b") as file:
        found = {match[1].decode(): match for match in _SETTING.finditer(file.read(_HEAD_BYTES))}
        if not found:
            return
        names = ", ".join(f"('{name}')" for name in found)
        unknown = ask(url, f"SELECT name FROM (VALUES {names}) s (name) WHERE current_setting(name, true) IS NULL")  # noqa: S608
        for name in unknown.split():
            start, end = found[name].span()
            file.seek(start)
            file.write(b" " * (end - start))


def _run(command: list[str], url: str, *, output: int = subprocess.DEVNULL) -> None:
    try:
        subprocess.run(command, env=_environment(url), check=True, stdout=output, stderr=subprocess.DEVNULL)
    except (subprocess.CalledProcessError, FileNotFoundError):
        raise ServerRefused(
            f"{command[0]} is missing here, or the database server refused it; nothing was changed."
        ) from None


def _environment(url: str) -> dict[str, str]:
    """Where the server is, told by the environment: on a command line everybody on the machine could read it."""
    parts = urlsplit(url)
    told = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/"),
    }
    return {**os.environ, **{name: value for name, value in told.items() if value}}
