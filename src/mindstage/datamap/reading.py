"""Read the data map: `datamap.toml`, the one declaration of what is held, why, for how long and how it ends."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("datamap.toml")


class MapFault(Exception):
    """The data map is incomplete or says something that is not so. Its text says what to write where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of personal data. Fields as in docs/subsystems/data-map.md.

    `fields` are sealed model fields, `metadata` the clear ones that belong to the same entry (ids, dates, positions),
    each as `app.Model.field`. `opened_for` lists the purposes for which a sealed field may be opened.
    """

    id: str
    title: str
    category: str
    purpose: str
    basis: str
    source: str
    stores: tuple[str, ...]
    sealed: str
    recipients: tuple[str, ...]
    retention_active: str
    retention_after: str
    export: str
    erase: str
    region: str
    special_category: bool
    children: str
    note: str
    opened_for: frozenset[str]
    fields: tuple[str, ...]
    metadata: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """A place that can hold bytes: a database, a folder, a cache, a log, a cookie, a process's memory."""

    id: str
    title: str
    holds: str
    ends: str


@dataclass(frozen=True, slots=True)
class Door:
    """A way out of the process: whom the program may connect to, and what goes there."""

    id: str
    title: str
    sends: str
    opened_by: str


@dataclass(frozen=True, slots=True)
class DataMap:
    """The whole declaration. `impersonal` maps `app.Model.field` to the reason why it is not personal data."""

    entries: dict[str, Entry]
    stores: dict[str, Store]
    doors: dict[str, Door]
    impersonal: dict[str, str]

    def places(self) -> dict[str, str]:
        """`app.Model.field` -> the entry that declares it, or "" when it is declared impersonal."""
        declared = dict.fromkeys(self.impersonal, "")
        for entry in self.entries.values():
            for path in entry.fields + entry.metadata:
                if path in declared:
                    raise MapFault(f"{path} is declared twice in datamap.toml")
                declared[path] = entry.id
        return declared


@cache
def data_map() -> DataMap:
    """The program's data map. Raises MapFault."""
    return parse(SOURCE.read_text())


def parse(text: str) -> DataMap:
    """A data map from TOML. Raises MapFault naming the entry and what it lacks."""
    content = tomllib.loads(text)
    entries = {item["id"]: _entry(item) for item in content.get("entry", [])}
    stores = {item["id"]: _build(Store, item) for item in content.get("store", [])}
    doors = {item["id"]: _build(Door, item) for item in content.get("door", [])}
    for entry in entries.values():
        for store in entry.stores:
            if store not in stores:
                raise MapFault(f"entry {entry.id}: store {store} is not declared; add a [[store]] to datamap.toml")
    return DataMap(entries, stores, doors, content.get("impersonal", {}))


def _entry(item: dict[str, Any]) -> Entry:
    lists = {name: tuple(item.get(name, ())) for name in ("stores", "recipients", "fields", "metadata")}
    defaults = {"special_category": False, "children": "as for adults", "note": "", "region": "the instance's"}
    return _build(Entry, {**defaults, **item, **lists, "opened_for": frozenset(item.get("opened_for", ()))})


def _build[T](kind: type[T], item: dict[str, Any]) -> T:
    names = set(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    missing = sorted(name for name in names if item.get(name) in (None, "") and name != "note")
    unknown = sorted(set(item) - names)
    if missing or unknown:
        what = f"lacks {', '.join(missing)}" if missing else f"has unknown {', '.join(unknown)}"
        raise MapFault(f"{kind.__name__.lower()} {item.get('id', '?')} in datamap.toml {what}")
    return kind(**item)
