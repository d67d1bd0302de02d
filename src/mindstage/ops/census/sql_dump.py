"""What pg_dump wrote, as an SQLite file: every column of every table of every schema.

Values are as SQLite would have them: bytes as bytes, identifiers as 32 digits; whatever else as its text.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

_TABLE: Final = re.compile(r"COPY (.+?) \((.*)\) FROM stdin;")
_END: Final = "\\."
_ALTERED: Final = re.compile(r"ALTER TABLE ONLY (.+)")
_MAIN: Final = re.compile(r"    ADD CONSTRAINT .+ PRIMARY KEY \((.+)\);")
_IDENT: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ESCAPED: Final = re.compile(r"\\(.)")
_SIGNS: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}

type Value = str | bytes | None


@dataclass(slots=True)
class Table:
    """One table; `name` with its schema, where that is not the usual one."""

    name: str
    columns: list[str]
    rows: list[list[Value]] = field(default_factory=list, repr=False)


def write_database(sql: Path, to: Path) -> None:
    """Make an SQLite file out of a dump in SQL. Raises OSError, sqlite3.Error."""
    content = sql.read_text("utf-8", "replace").split("\n")  # not splitlines: other signs end no line of a dump
    main = dict(_read_main_columns(content))
    with closing(sqlite3.connect(to)) as database, database:
        for table in _read_tables(content):
            columns = [_quote(column) for column in table.columns]
            if keys := main.get(table.name):
                columns.append(f"PRIMARY KEY ({', '.join(map(_quote, keys))})")
            database.execute(f"CREATE TABLE {_quote(table.name)} ({', '.join(columns)})")
            marks = ", ".join("?" * len(table.columns))
            database.executemany(f"INSERT INTO {_quote(table.name)} VALUES ({marks})", table.rows)  # noqa: S608


def _read_tables(lines: list[str]) -> Iterator[Table]:
    table = None
    for line in lines:
        if table is None:
            if begun := _TABLE.fullmatch(line):
                table = Table(_name(begun[1]), [_name(column) for column in begun[2].split(", ")])
        elif line == _END:
            yield table
            table = None
        else:
            table.rows.append([_value(value) for value in line.split("\t")])


def _read_main_columns(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each table's primary key."""
    for line, following in pairwise(lines):
        if (altered := _ALTERED.fullmatch(line)) and (main := _MAIN.fullmatch(following)):
            yield _name(altered[1]), [_name(column) for column in main[1].split(", ")]


def _name(written: str) -> str:
    return written.replace('"', "").removeprefix("public.")


def _quote(name: str) -> str:
    return f'"{name}"'


def _value(written: str) -> Value:
    if written == "\\N":
        return None
    text = _ESCAPED.sub(lambda sign: _SIGNS.get(sign[1], sign[1]), written)
    if text.startswith("\\x"):
        with suppress(ValueError):  # a text may begin so as well
            return bytes.fromhex(text[2:])
    return text.replace("-", "") if _IDENT.fullmatch(text) else text
