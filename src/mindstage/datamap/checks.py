"""The data-map check: every field of every installed app, and every other place that holds bytes, is declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db.models import Field, Model

from mindstage.datamap.content import present
from mindstage.datamap.reading import DataMap, MapFault, data_map
from mindstage.datamap.releases import coming, find_policy_faults, releases

HINT = "Add it to `fields` or `metadata` of an entry in datamap.toml, or to [impersonal] with the reason."


def check_data_map(
    app_configs: Sequence[AppConfig] | None = None,  # noqa: ARG001 - Django's signature; the map is always checked whole
    **_: Any,
) -> list[CheckMessage]:
    """A Django system check: the gaps of the data map, as errors."""
    try:
        return list(find_gaps(data_map(), apps.get_models(include_auto_created=True)))
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
    """Databases, caches, log handlers and cookies that the settings open, against the declared stores."""
    used = [f"database:{alias}" for alias in settings.DATABASES]
    used += [f"cache:{alias}" for alias in settings.CACHES]
    handlers: dict[str, Any] = settings.LOGGING["handlers"]  # type: ignore[assignment]
    used += [f"log:{name}" for name in handlers]
    used += [f"cookie:{name}" for name in settings.COOKIES]
    for store in used:
        if store not in declared.stores:
            yield Error(
                f"the store {store} is not in the data map",
                hint="Add a [[store]] to datamap.toml that says what it holds and when that ends.",
                id="datamap.E006",
            )
