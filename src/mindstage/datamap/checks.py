"""The data-map check: every field of every installed app, and every other place that holds bytes, is declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db.models import Field, Model
from django.utils.module_loading import import_string

from mindstage.datamap.content import present
from mindstage.datamap.memory import memory_of_program
from mindstage.datamap.reading import DataMap, MapFault, data_map
from mindstage.datamap.releases import coming, find_policy_faults, releases

OUTSIDE = "paper:"
"""Stores that no program can look at."""
OF_FILES = ("folder:", "database:")
FOLDER = "_dir"
HINT = "Add it to `fields` or `metadata` of an entry in datamap.toml, or to [impersonal] with the reason."


def check_data_map(
    app_configs: Sequence[AppConfig] | None = None,  # noqa: ARG001 - Django's signature; the map is always checked whole
    **_: Any,
) -> list[CheckMessage]:
    """A Django system check: the gaps of the data map, as errors."""
    try:
        gaps = find_gaps(data_map(), apps.get_models(include_auto_created=True))
        return [*gaps, *find_gaps_of_memory(data_map(), memory_of_program())]
    except MapFault as fault:
        return [Error(str(fault), id="datamap.E001")]


def check_policy(
    app_configs: Sequence[AppConfig] | None = None,  # noqa: ARG001
    **_: Any,
) -> list[CheckMessage]:
    """A Django system check: no change of the map or the prose reaches people unannounced. datamap.E020 to E024"""
    try:
        faults = list(find_policy_faults(releases(), present(), coming()))
    except MapFault as fault:
        return [Error(str(fault), id="datamap.E023")]
    return [Error(fault.sentence, hint=fault.hint, id=fault.id) for fault in faults]


def find_gaps(declared: DataMap, models: Iterable[type[Model]]) -> Iterator[CheckMessage]:
    """Every model field without a declaration, every declaration without its field, every store left out."""
    places = declared.places()
    seen: set[str] = set()
    for model in models:
        for field in model._meta.local_fields:
            path = f"{model._meta.label}.{field.name}"
            seen.add(path)
            yield from _gaps_of_field(declared, places, path, field)
    for path in sorted(places.keys() - seen):
        yield Error(f"datamap.toml declares {path}, which does not exist", id="datamap.E003")
    yield from _gaps_of_stores(declared)


def _gaps_of_field(
    declared: DataMap, places: dict[str, str], path: str, field: Field[Any, Any]
) -> Iterator[CheckMessage]:
    if path not in places:
        yield Error(f"{path} is not in the data map", hint=HINT, id="datamap.E002")
        return
    entry = getattr(field, "entry", None)
    if entry is None:
        if places[path] and path in declared.entries[places[path]].fields:
            yield Error(f"{path} is declared as sealed but is a clear column", hint=HINT, id="datamap.E004")
    elif places[path] != entry or path not in declared.entries[entry].fields:
        yield Error(f"{path} says entry {entry!r}, the data map says {places[path]!r}", hint=HINT, id="datamap.E005")


def _gaps_of_stores(declared: DataMap) -> Iterator[CheckMessage]:
    """Every store that the program uses against those that are declared, both ways."""
    used = set(_stores_in_use(declared))
    for store in sorted(used - declared.stores.keys()):
        yield Error(
            f"the store {store} is not in the data map",
            hint="Add a [[store]] to datamap.toml that says what it holds and when that ends.",
            id="datamap.E006",
        )
    for store in sorted(declared.stores.keys() - used):
        if not store.startswith(OUTSIDE):
            yield Error(f"datamap.toml declares the store {store}, which nothing uses", id="datamap.E007")
    of_files = {store for store in used & declared.stores.keys() if store.startswith(OF_FILES)}
    for store in sorted(of_files - declared.where.keys()):
        yield Error(
            f"the data map does not say which files are of the store {store}",
            hint="Name them in [where] of places.toml; a census tells of every other file.",
            id="datamap.E008",
        )


def find_gaps_of_memory(declared: DataMap, found: Set[str]) -> Iterator[CheckMessage]:
    """Everything that a module keeps and changes against what is declared, both ways."""
    for name in sorted(found - declared.memory.keys()):
        yield Error(
            f"{name} is changed while the program runs and is not in the data map",
            hint="Name it in [memory] of places.toml: the store it is of, or the reason why it is about nobody.",
            id="datamap.E009",
        )
    for name in sorted(declared.memory.keys() - found):
        yield Error(f"places.toml declares {name}, which no code changes", id="datamap.E010")


def _stores_in_use(declared: DataMap) -> Iterator[str]:
    """Databases, caches, log handlers and cookies of the settings, folders of the configuration, memory of the code."""
    yield from (f"database:{alias}" for alias in settings.DATABASES)
    yield from (f"cache:{alias}" for alias in settings.CACHES)
    handlers: dict[str, Any] = settings.LOGGING["handlers"]  # type: ignore[assignment]
    yield from (f"log:{name}" for name in handlers)
    yield from (f"cookie:{name}" for name in settings.COOKIES)
    yield from (f"folder:{name}" for name in _folders(settings.MINDSTAGE))
    for store, places in declared.where.items():
        if not store.startswith(OF_FILES) and all(_is_there(name) for name in places):
            yield store


def _folders(configuration: Any) -> set[str]:
    """Every folder that the configuration names, but the one that most of them lie in."""
    names = (name for name in dir(configuration) if name.endswith(FOLDER) and not name.startswith("_"))
    return {name.removesuffix(FOLDER) for name in names} - {"data"}


def _is_there(name: str) -> bool:
    try:
        return import_string(name) is not None
    except ImportError:
        return False
