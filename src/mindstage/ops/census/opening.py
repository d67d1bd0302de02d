"""The attempt: every sealed value of every file that is left, with every key that is left.

A value is tried with the key that it belongs to first, and when that is gone with every other. It counts as opened only
when its tag holds (AES-GCM), bound to the table, column and row that it stands in, for any identifier of that row.
"""

from __future__ import annotations

import io
import sqlite3
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mindstage.datamap.scanner import Scanner
from mindstage.ops.backup import ENDING as BACKUP
from mindstage.ops.census.hoard import Holdings
from mindstage.ops.census.keys_left import Keys, gather_keys
from mindstage.ops.census.places import Where, open_to_read
from mindstage.ops.census.sql_dump import write_database
from mindstage.ops.servers import is_dump, write_as_sql
from mindstage.rights.export import ENDING as EXPORT
from mindstage.vault.sealed_files import BEGINNING, open_chunks
from mindstage.vault.sealing import KEY_VERSION, OVERHEAD, SUITE_AES_256_GCM, Unreadable, open_any, open_sealed, place

_HEAD: Final = bytes((SUITE_AES_256_GCM, KEY_VERSION))
_TABLES: Final = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"


@dataclass(slots=True)
class Attempt:
    """What came of it. `words`: those that stood in what opened. `accounts`: handle -> account, of what opened.

    `texts`: what stands in the instance itself and opened, old copies and backups left out.
    """

    keys: int = 0
    keystores: int = 0
    values: int = 0
    opened: int = 0
    tried: int = 0
    files: int = 0
    files_opened: int = 0
    words: set[str] = field(default_factory=set, repr=False)
    accounts: dict[str, uuid.UUID] = field(default_factory=dict, repr=False)
    owners: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict, repr=False)
    instance: dict[str, bytes] = field(default_factory=dict, repr=False)
    texts: dict[Where, bytes] = field(default_factory=dict, repr=False)

    def idents_of(self, account: uuid.UUID) -> set[uuid.UUID]:
        """An account and all items that are its own."""
        return {account} | {item for item, owner in self.owners.items() if owner == account}

    def counts(self) -> dict[str, int]:
        """For the report."""
        names = ("keys", "keystores", "values", "opened", "tried", "files", "files_opened")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class SealedValue:
    """One value, what it may be bound to, and whose key it belongs to."""

    table: str
    column: str
    value: bytes = field(repr=False)
    row: uuid.UUID
    idents: frozenset[uuid.UUID]

    def places(self) -> Iterator[tuple[uuid.UUID, bytes]]:
        for ident in self.idents:
            yield ident, place(self.table, self.column, self.row, ident)


def try_everything(holdings: Holdings, scanner: Scanner) -> Attempt:
    """Try. Raises KeyMistake, OSError, sqlite3.Error."""
    keys = gather_keys(root=holdings.root, epochs=holdings.epochs, keystores=holdings.keystores, copies=holdings.copies)
    attempt = Attempt(keystores=keys.keystores, owners=keys.owners, instance=keys.instance)
    everyone = keys.all()
    attempt.keys = len(everyone)
    with tempfile.TemporaryDirectory(dir=holdings.scratch) as scratch:
        plain = _open_files(holdings.sealed_files, keys, everyone, Path(scratch), attempt, scanner)
        values = {value for database in [*holdings.databases, *plain] for value in read_sealed(database)}
    opened = list(_open_values(values, keys, everyone, attempt))
    attempt.words |= {one.word for one in scanner.scan(b"\n\0\n".join(text for _, text in opened))}
    here = set(read_sealed(holdings.databases[0]))
    attempt.texts = {Where(f"{one.table}.{one.column}", one.row): text for one, text in opened if one in here}
    for value, text in opened:
        if (value.table, value.column) == ("accounts_user", "handle"):
            attempt.accounts[text.decode("utf-8", "replace")] = value.row
    return attempt


def read_sealed(database: Path) -> Iterator[SealedValue]:
    """Whatever in a database begins as a sealed value does. Raises sqlite3.Error."""
    with closing(open_to_read(database)) as opened:
        for (table,) in opened.execute(_TABLES).fetchall():
            columns = opened.execute(f'PRAGMA table_info("{table}")').fetchall()
            names, main = [column[1] for column in columns], [column[1] for column in columns if column[5]]
            for row in opened.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name out of the schema
                yield from _of_row(table, dict(zip(names, row, strict=True)), main[0] if main else "")


def _of_row(table: str, row: dict[str, Any], main: str) -> Iterator[SealedValue]:
    sealed = {name: value for name, value in row.items() if _is_sealed(value)}
    ident = _ident(row.get(main))
    if ident is None:
        return
    idents = frozenset(found for value in row.values() if (found := _ident(value)))
    for column, value in sealed.items():
        yield SealedValue(table, column, value, ident, idents)


def _is_sealed(value: object) -> bool:
    return isinstance(value, bytes) and value[:2] == _HEAD and len(value) >= OVERHEAD


def _ident(value: object) -> uuid.UUID | None:
    """An identifier of a row: as SQLite keeps it, or half of a hash, as a session is bound to."""
    if isinstance(value, bytes) and len(value) == 32:
        return uuid.UUID(bytes=value[:16])
    try:
        return uuid.UUID(value) if isinstance(value, str) and len(value) == 32 else None
    except ValueError:
        return None


def _open_values(
    values: Iterable[SealedValue], keys: Keys, everyone: list[bytes], attempt: Attempt
) -> Iterator[tuple[SealedValue, bytes]]:
    """Those with the key that they belong to first; then what is left, key by key.

    Values times keys is the one part of a census that grows with the square of its people. A key is expanded once this
    way; the other way about, with more keys than the vault keeps expanded, it is expanded for every single value.
    """
    left = []
    for value in values:
        attempt.values += 1
        if (text := _open_with_own_keys(value, keys, attempt)) is None:
            left.append(value)
        else:
            yield value, text
    yield from _open_with_every_key(left, everyone, attempt)


def _open_with_own_keys(value: SealedValue, keys: Keys, attempt: Attempt) -> bytes | None:
    for ident, aad in value.places():
        for key in keys.of.get(ident, ()):
            attempt.tried += 1
            with suppress(Unreadable):
                text = open_sealed(key, value.value, aad)
                attempt.opened += 1
                return text
    return None


def _open_with_every_key(
    values: list[SealedValue], everyone: list[bytes], attempt: Attempt
) -> Iterator[tuple[SealedValue, bytes]]:
    """A value that opened is not tried any more."""
    tries = [(value.value, aad) for value in values for _, aad in value.places()]
    owners = [value for value in values for _ in value.idents]
    for key in everyone:
        attempt.tried += len(tries)
        if not (texts := dict(open_any(key, tries))):
            continue
        opened = {id(owners[number]): (owners[number], text) for number, text in texts.items()}
        attempt.opened += len(opened)
        yield from opened.values()
        kept = [number for number, owner in enumerate(owners) if id(owner) not in opened]
        tries, owners = [tries[number] for number in kept], [owners[number] for number in kept]


def _open_files(
    files: Iterable[Path], keys: Keys, everyone: list[bytes], scratch: Path, attempt: Attempt, scanner: Scanner
) -> list[Path]:
    """Backups and exports, each once; the databases that came out, in `scratch`."""
    databases = []
    for path in {path.name: path for path in files}.values():
        attempt.files += 1
        plain = _open_file(path, keys, everyone, scratch, attempt)
        if plain is None:
            continue
        attempt.files_opened += 1
        if path.suffix == BACKUP and is_dump(plain):
            write_as_sql(plain, sql := plain.with_suffix(".sql"))
            write_database(sql, plain := plain.with_suffix(".sqlite3"))
            attempt.words |= {one.word for one in scanner.scan(sql.read_bytes())}
        attempt.words |= {one.word for one in scanner.scan(plain.read_bytes())}
        if path.suffix == BACKUP and _is_database(plain):
            databases.append(plain)
    return databases


def _open_file(path: Path, keys: Keys, everyone: list[bytes], scratch: Path, attempt: Attempt) -> Path | None:
    ident = uuid.UUID(path.stem)
    bound = {BACKUP: b"backup|", EXPORT: b"export|"}[path.suffix] + ident.bytes
    with path.open("rb") as sealed:
        beginning = sealed.read(BEGINNING)
        for key in [*keys.of.get(ident, ()), *everyone]:
            attempt.tried += 1
            if not _begins(beginning, key, bound):
                continue
            sealed.seek(0)
            plain = scratch / path.name
            with suppress(Unreadable), plain.open("wb") as out:
                out.writelines(open_chunks(sealed, key=key, place=bound))
                return plain
            plain.unlink()
    return None


def _begins(beginning: bytes, key: bytes, bound: bytes) -> bool:
    """Whether a key opens the first piece of a file: most do not, and the file need not be read again for each."""
    try:
        next(open_chunks(io.BytesIO(beginning), key=key, place=bound))
    except Unreadable:
        return False
    return True


def _is_database(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as opened:
            opened.execute("PRAGMA schema_version")
    except sqlite3.DatabaseError:
        return False
    return True
