"""A dump of a server's database becomes a file in which a census looks as in any other."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from mindstage.ops.census.opening import read_sealed
from mindstage.ops.census.places import read_columns
from mindstage.ops.census.sql_dump import write_database
from mindstage.vault.sealing import OVERHEAD

SEALED = bytes((1, 1)) + bytes(OVERHEAD)
DUMP = (
    "SET client_encoding = 'UTF8';\n"
    "COPY public.rows (id, owner, text, note) FROM stdin;\n"
    f"0192f0c4-0000-7000-8000-00000000000a\t\\N\t\\\\x{SEALED.hex()}\tline\\none\\ttab\\\\\n"
    "0192f0c4-0000-7000-8000-00000000000b\tCOPY a (b) FROM stdin;\t\\\\xyz\tü\u2028\n"
    "\\.\n"
    'COPY other."order" ("from", kind) FROM stdin;\n'
    "\\.\n"
    "ALTER TABLE ONLY public.rows\n"
    "    ADD CONSTRAINT rows_pkey PRIMARY KEY (id);\n"
)


def made(tmp_path: Path) -> Path:
    sql, file = tmp_path / "dump.sql", tmp_path / "made.sqlite3"
    sql.write_text(DUMP, "utf-8")
    write_database(sql, file)
    return file


def test_each_value_is_what_sqlite_would_hold(tmp_path: Path) -> None:
    """Nothing, bytes, identifiers as digits, and texts with whatever is escaped in a dump."""
    with closing(sqlite3.connect(made(tmp_path))) as file:
        assert file.execute("SELECT * FROM rows").fetchall() == [
            ("0192f0c4000070008000" + "00000000000a", None, SEALED, "line\none\ttab\\"),
            ("0192f0c4000070008000" + "00000000000b", "COPY a (b) FROM stdin;", "\\xyz", "ü\u2028"),
        ]


def test_every_schema_and_every_empty_table_is_there(tmp_path: Path) -> None:
    """A table that nobody declared is a find, with rows or without."""
    assert [column for column, _ in read_columns(made(tmp_path))] == [
        "other.order.from",
        "other.order.kind",
        "rows.id",
        "rows.owner",
        "rows.text",
        "rows.note",
    ]


def test_sealed_values_are_found_with_their_row(tmp_path: Path) -> None:
    """What a sealed value is bound to comes along."""
    (value,) = read_sealed(made(tmp_path))
    assert (value.table, value.column, value.value) == ("rows", "text", SEALED)
    assert value.row.hex.endswith("0a")
