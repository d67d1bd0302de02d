"""A small instance on real files, for tests of the vault's protocol: two SQLite databases, ledger, epoch file, escrow.

The rows are this harness's own (people, items, turns, sealed under real keys), so that nothing but the vault is tested.
Every durable write is counted; after the n-th the power fails: nothing more is written until the next start.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from mindstage.config.configuration import Configuration
from mindstage.datamap import holdings as registry
from mindstage.kit import clock
from mindstage.ledger import book
from mindstage.ops import restore, staging
from mindstage.ops.keys_at_start import make_keys, refuse_wrong_keys
from mindstage.ops.mistakes import StartMistake
from mindstage.vault.epoch_file import EpochFile, read_epoch_file
from mindstage.vault.keys import KeyGone, close_vault, item_key, text_key
from mindstage.vault.models import ItemKey, UserKey
from mindstage.vault.root_key import KeyMistake, read_root_key
from mindstage.vault.sealing import Unreadable, open_sealed
from mindstage.vault.start_check import Mode, check_start
from vault.deeds import (
    TABLES,
    Rows,
    add_turn,
    count_keyless,
    destroy,
    freeze,
    handle_of,
    is_reserved,
    keep,
    night,
    shift,
    sign_up,
    sql,
    tag_of,
    take_backup,
    trash,
    turn_now,
    write,
)
from vault.power import AtStatement, Power, PowerFailure

__all__ = [
    "House",
    "ItemKey",
    "Power",
    "Rows",
    "UserKey",
    "add_turn",
    "count_keyless",
    "destroy",
    "freeze",
    "handle_of",
    "is_reserved",
    "keep",
    "night",
    "shift",
    "sign_up",
    "sql",
    "tag_of",
    "take_backup",
    "trash",
    "turn_now",
    "write",
]

FAST = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
"""Where every sync is free; else wherever temporary files lie."""
Files = dict[str, Any]
"""Artefact -> what it holds: bytes of a file, a dump of a database on a server, or None when it was lost."""


@dataclass
class House:
    """One instance in `root`. `day` nights have passed; `skew` days the wall clock is wrong by."""

    root: Path
    power: Power
    day: int = 0
    skew: int = 0
    died: dict[uuid.UUID, int] = field(default_factory=dict)
    handle_of: Callable[[uuid.UUID], bytes | None] = field(default_factory=lambda: handle_of)

    @property
    def configuration(self) -> Configuration:
        return Configuration(
            data_dir=self.root / "data",
            keys_dir=self.root / "keys",
            escrow=str(self.root / "escrow"),
            backups=str(self.root / "backups"),
        )

    @property
    def places(self) -> dict[str, Path]:
        c = self.configuration
        return {
            "D": c.database_file,
            "K": c.keystore_file,
            "L": c.ledger_dir / book.NAME,
            "F": c.keys_dir / "epoch.json",
            "S": c.escrow_dir / "epoch.json",
        }

    # ---- files

    def unplug(self) -> None:
        for alias in connections:
            connections[alias].close()
        close_vault()

    def move_in(self) -> None:
        """Let the program look at this house."""
        self.unplug()
        settings.MINDSTAGE = self.configuration
        if not self.configuration.database_url:
            connections["default"].settings_dict["NAME"] = str(self.configuration.database_file)
            connections["keystore"].settings_dict["NAME"] = str(self.configuration.keystore_file)

    def make_folders(self) -> None:
        """All but the escrow's: the first start makes that."""
        for path in self.places.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.root / "escrow")

    def files(self) -> Files:
        """Every artefact as it lies on the disk, or on the server."""
        self.unplug()
        return {name: self.read(name) for name in self.places}

    def read(self, name: str) -> Any:
        path = self.places[name]
        return path.read_bytes() if path.exists() else None

    def put(self, files: Files, names: str = "DKLFS") -> None:
        """Copy old files into place."""
        self.unplug()
        for name in names:
            self.write(name, files[name])

    def write(self, name: str, content: Any) -> None:
        path = self.places[name]
        for other in (path, *staging.siblings(path)):
            other.unlink(missing_ok=True)
        if content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    @contextmanager
    def clone(self) -> Iterator[None]:
        """Whatever happens in the block, everything is as before after it."""
        self.unplug()
        kept = self.root.with_name(f"kept-{uuid.uuid4().hex}")
        shutil.copytree(self.root, kept)
        before, died = (self.day, self.skew), dict(self.died)
        try:
            yield
        finally:
            self.unplug()
            shutil.rmtree(self.root)
            kept.rename(self.root)
            (self.day, self.skew), self.died = before, died

    def escrow_away(self, away: bool) -> None:
        """Unmount the escrow's place, or mount it again."""
        here, there = self.root / "escrow", self.root / "escrow-away"
        if away and here.exists():
            here.rename(there)
        if not away and there.exists():
            there.rename(here)

    @property
    def escrow_here(self) -> bool:
        return (self.root / "escrow").exists()

    # ---- start

    def start(self) -> Mode:
        """What the program does before it serves: the mode in which it ends."""
        self.unplug()
        self.power.off = False
        try:
            with self.time():
                refuse_wrong_keys(self.configuration)
                make_keys(self.configuration)
                return check_start(handle_of=self.handle_of).mode
        except (StartMistake, KeyMistake):
            return Mode.REFUSED

    def start_as_deed(self) -> None:
        """A start at which the power may fail: `start` without switching it on."""
        self.unplug()
        try:
            refuse_wrong_keys(self.configuration)
            make_keys(self.configuration)
            check_start(handle_of=self.handle_of)
        except (StartMistake, KeyMistake):
            pass

    def run(self, deed: Callable[[], Any], *, fails_after: int | None = None) -> bool:
        """Do something, perhaps until the power fails; whether it came to its end."""
        self.power.written, self.power.fails_after, self.power.off = 0, fails_after, False
        try:
            with self.time():
                deed()
        except PowerFailure:
            return False
        finally:
            self.power.fails_after, self.power.off = None, False
        return True

    def time(self) -> Any:
        return clock.moved(timedelta(days=self.day + self.skew))

    # ---- what others see

    def read_all(self) -> dict[str, str]:
        """Everything that opens now: identifier -> text."""
        found = {}
        for ident, sealed in sql("SELECT id, text FROM t_person"):
            found |= _try(ident, sealed, lambda ident=ident: text_key(uuid.UUID(ident)))
        for ident, item, sealed in sql("SELECT id, item, text FROM t_turn"):
            found |= _try(ident, sealed, lambda item=item: item_key(uuid.UUID(item)))
        return found

    def epochs(self, which: str) -> EpochFile | None:
        return read_epoch_file(self.places[which].parent) if self.places[which].parent.exists() else None

    def open_slots(self, which: str) -> dict[int, bytes]:
        """The epoch keys that the root key gives out of the epoch file (F) or the escrow (S), wherever that is now."""
        place = self.places[which].parent
        if which == "S" and not self.escrow_here:
            place = self.root / "escrow-away"
        file, root = read_epoch_file(place), read_root_key(self.configuration.keys_dir)
        return {number: file.epoch_key(number, root=root) for number in file.slots} if file else {}

    def open_keys(self) -> set[bytes]:
        """The epoch keys that root key, epoch file and escrow give to whoever holds them."""
        return {*self.open_slots("F").values(), *self.open_slots("S").values()}

    def chain(self) -> book.Chain:
        chain = book.read_book(self.configuration.ledger_dir)
        assert chain is not None
        return chain


def _try(ident: str, sealed: bytes, key: Callable[[], bytes]) -> dict[str, str]:
    try:
        return {ident: open_sealed(key(), bytes(sealed), ident.encode()).decode()}
    except (KeyGone, Unreadable):
        return {}


# ---- setting up


@dataclass(frozen=True)
class Template:
    """Empty tables (default.sqlite3, keystore.sqlite3) and a founded house, to be copied for each test."""

    folder: Path
    nights: ClassVar = (1, 1, 1, 2, 8, 31)
    """How many may pass at a time in a history."""

    def quick_dumps(self) -> AbstractContextManager[None]:
        """Files are copied quickly."""
        return nullcontext()

    def new_house(self, place: Path, power: Power) -> House:
        shutil.copytree(self.folder / "house", place / "house")
        house = House(place / "house", power)
        house.move_in()
        return house

    @property
    def make_tables(self) -> Callable[..., None]:
        """In place of the migrations: a staged file without tables gets those of the template."""

        def migrate(_command: str, *, database: str, **_: Any) -> None:
            with connections[database].cursor() as cursor:
                cursor.execute("SELECT 1 FROM sqlite_master WHERE type = 'table'")
                empty = not cursor.fetchall()
            if empty:
                name = connections[database].settings_dict["NAME"]
                connections[database].close()
                shutil.copyfile(self.folder / f"{database}.sqlite3", name)

        return migrate


@contextmanager
def harness(template: Any, power: Power, *, rooms: bool = False) -> Iterator[None]:
    """Count durable writes, look at this house's files, and know no room but `Rows`; or all of them (`rooms`)."""
    aliases = {alias: connections[alias] for alias in ("default", "keystore")}
    wrapper = type(aliases["default"])
    places = {
        alias: {name: connection.settings_dict[name] for name in ("NAME", "OPTIONS")}
        for alias, connection in aliases.items()
    }
    for connection in aliases.values():
        connection.close()
        connection.execute_wrappers.append(AtStatement(power))
    patches = [
        mock.patch.object(wrapper, "_commit", power.wrap(wrapper._commit)),
        mock.patch.object(pathlib.Path, "replace", power.wrap(pathlib.Path.replace)),
        mock.patch.object(book, "append", power.wrap(book.append)),
        mock.patch.object(book, "begin_book", power.wrap(book.begin_book)),
    ]
    if not rooms:
        patches.append(mock.patch.object(registry, "_holdings", [Rows()]))
        patches.append(mock.patch.object(restore, "count_keyless", count_keyless))
    if template is not None:
        patches.append(mock.patch.object(staging, "call_command", template.make_tables))
    before = settings.MINDSTAGE
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()
        settings.MINDSTAGE = before
        close_vault()
        for alias, connection in aliases.items():
            connection.close()
            connection.settings_dict.update(places[alias])
            connection.execute_wrappers = [w for w in connection.execute_wrappers if not isinstance(w, AtStatement)]


def build_template(folder: Path, *, rooms: bool = False) -> Template:
    """Tables and a founded house in `folder`."""
    power = Power()
    with harness(None, power, rooms=rooms):
        house = House(folder / "house", power)
        house.make_folders()
        house.move_in()
        for room in ([],) if rooms else (["ledger"], ["ops"]):
            call_command("migrate", *room, database="default", verbosity=0)
        call_command("migrate", *([] if rooms else ["vault"]), database="keystore", verbosity=0)
        for table in () if rooms else TABLES:
            sql(table)
        house.unplug()
        shutil.copyfile(house.configuration.database_file, folder / "default.sqlite3")
        shutil.copyfile(house.configuration.keystore_file, folder / "keystore.sqlite3")
        assert house.start() is Mode.OPEN
        house.unplug()
    return Template(folder)
