"""Read the data map: `datamap.toml`, the one declaration of what is held, why, for how long and how it ends."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("datamap.toml")
PLACES = Path(__file__).with_name("places.toml")

SECTIONS = {"entry", "store", "where", "memory", "door", "consent", "impersonal"}
SOURCES = ("direct", "derived", "automatic")
ENDINGS = ("shred", "delete", "unlink", "expire", "keep")
"""How an entry may end. `keep` goes on with the ground and the end: "keep: the law of ..., 10 years"."""


IN_MEMORY = "memory:"
"""How the id of a store in a process's memory begins."""


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
    consent: str = ""
    """The switch that must be on before this is used at all; empty: none."""


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
class Consent:
    """A use that each person decides about. `asks` is the question, in the words that the person reads.

    `default` holds until they answer; `signal`: Global Privacy Control says no for them; `adults_only`: never asked of
    minors. Its version is computed from the released policies (questions.py).
    """

    id: str
    title: str
    asks: str
    purpose: str
    default: bool
    signal: bool
    adults_only: bool


@dataclass(frozen=True, slots=True)
class DataMap:
    """The whole declaration. `impersonal` maps `app.Model.field` to the reason why it is not personal data.

    `where` maps a store to what it is in the program: of a folder or a database the files of an instance that belong to
    it, as regular expressions; of a process's memory the object that holds it, as a dotted name. It is not published.
    `memory` maps what a module keeps (memory.py) to the memory store that it is of, or to why it is about nobody.
    """

    entries: dict[str, Entry]
    stores: dict[str, Store]
    doors: dict[str, Door]
    impersonal: dict[str, str]
    consents: dict[str, Consent] = field(default_factory=dict)
    where: dict[str, tuple[str, ...]] = field(default_factory=dict)
    memory: dict[str, str] = field(default_factory=dict)

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
    return parse(read_source())


def read_source() -> str:
    """The declaration as one text: the entries, then the places, doors and impersonal fields."""
    return f"{SOURCE.read_text()}\n{PLACES.read_text()}"


def parse(text: str) -> DataMap:
    """A data map from TOML. Raises MapFault naming the entry and what it lacks."""
    content = tomllib.loads(text)
    if unknown := sorted(set(content) - SECTIONS):
        raise MapFault(f"datamap.toml has an unknown section: {unknown[0]}")
    entries = {item.id: item for item in _each(content, "entry", _entry)}
    stores = {item.id: item for item in _each(content, "store", lambda item: _build(Store, item))}
    doors = {item.id: item for item in _each(content, "door", lambda item: _build(Door, item))}
    consents = {item.id: item for item in _each(content, "consent", lambda item: _build(Consent, item))}
    impersonal: dict[str, str] = content.get("impersonal", {})
    for entry in entries.values():
        _check_entry(entry, stores, consents)
    for path, reason in impersonal.items():
        if not reason:
            raise MapFault(f"{path} is declared impersonal in datamap.toml without a reason")
    where = {store: tuple(places) for store, places in content.get("where", {}).items()}
    return DataMap(entries, stores, doors, impersonal, consents, where, _memory(content, stores))


def _memory(content: dict[str, Any], stores: dict[str, Store]) -> dict[str, str]:
    """What each thing in memory is said to be. Raises MapFault for a store that is not declared, and for no reason."""
    memory: dict[str, str] = content.get("memory", {})
    for name, said in memory.items():
        if not said or (said.startswith(IN_MEMORY) and said not in stores):
            raise MapFault(f"{name} in [memory] of places.toml says {said!r}: neither a declared store nor a reason")
    return memory


def _each[T: Entry | Store | Door | Consent](
    content: dict[str, Any], section: str, build: Callable[[dict[str, Any]], T]
) -> Iterator[T]:
    """The parts of one section. Raises MapFault for an id that stands there twice."""
    seen: set[str] = set()
    for item in content.get(section, []):
        built = build(item)
        if built.id in seen:
            raise MapFault(f"{section} {built.id} stands twice in datamap.toml")
        seen.add(built.id)
        yield built


def _entry(item: dict[str, Any]) -> Entry:
    lists = {name: tuple(item.get(name, ())) for name in ("stores", "recipients", "fields", "metadata")}
    defaults = {"special_category": False, "children": "as for adults", "note": "", "region": "the instance's"}
    return _build(Entry, {**defaults, **item, **lists, "opened_for": frozenset(item.get("opened_for", ()))})


def _check_entry(entry: Entry, stores: dict[str, Store], consents: dict[str, Consent]) -> None:
    """What an entry says must make sense. Raises MapFault."""
    for store in entry.stores:
        if store not in stores:
            raise MapFault(f"entry {entry.id}: store {store} is not declared; add a [[store]] to datamap.toml")
    faults = {
        "says no store: where does it lie?": not entry.stores,
        "declares no field, sealed or clear": not entry.fields + entry.metadata,
        f"source is none of {', '.join(SOURCES)}": entry.source not in SOURCES,
        f"erase begins with none of {', '.join(ENDINGS)}": entry.erase.split(":")[0] not in ENDINGS,
        "has sealed fields that no purpose may open (opened_for)": bool(entry.fields) and not entry.opened_for,
        f"names the consent {entry.consent}, which no [[consent]] declares": entry.consent not in {"", *consents},
        "has sealed fields but says sealed = none": bool(entry.fields) and entry.sealed == "none",
    }
    for fault in (fault for fault, holds in faults.items() if holds):
        raise MapFault(f"entry {entry.id} in datamap.toml {fault}")


def _build[T](kind: type[T], item: dict[str, Any]) -> T:
    names = set(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    missing = sorted(name for name in names if item.get(name) in (None, "") and name not in ("note", "consent"))
    unknown = sorted(set(item) - names)
    if missing or unknown:
        what = f"lacks {', '.join(missing)}" if missing else f"has unknown {', '.join(unknown)}"
        raise MapFault(f"{kind.__name__.lower()} {item.get('id', '?')} in datamap.toml {what}")
    return kind(**item)
