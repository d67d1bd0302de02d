"""The check walks every field of every app and every store, and fails on a gap."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.checks.registry import registry
from django.db import models
from django.test.utils import isolate_apps

from mindstage.datamap import checks
from mindstage.datamap.checks import check_data_map, find_gaps
from mindstage.datamap.reading import DataMap, MapFault, Store, data_map
from mindstage.stories.models import Draft, Turn
from mindstage.vault.fields import PurposeRefused, SealedField, SealedRow, allow
from mindstage.vault.purposes import Purpose

ALL = list(apps.get_models(include_auto_created=True))


def gaps(declared: DataMap | None = None, found: Iterable[type[models.Model]] = ALL) -> set[tuple[str, str]]:
    """(id, message) of what the check says."""
    return {(gap.id or "", str(gap.msg)) for gap in find_gaps(declared or data_map(), found)}


def changed(entry: str, **changes: Any) -> DataMap:
    """The program's map with one entry changed."""
    declared = data_map()
    return replace(declared, entries=declared.entries | {entry: replace(declared.entries[entry], **changes)})


@pytest.mark.xdist_group("memory of the program")  # as in test_memory.py
def test_the_program_has_no_gap() -> None:
    """Every field of every model of every app is declared, every declaration exists, every store is there."""
    assert check_data_map() == []
    assert check_data_map in registry.registered_checks
    assert len(data_map().places()) == sum(len(model._meta.local_fields) for model in ALL)


def test_every_model_is_walked() -> None:
    """A map without an entry leaves each of its fields undeclared: nothing is skipped."""
    for model in ALL:
        for field in model._meta.local_fields:
            path = f"{model._meta.label}.{field.name}"
            declared = data_map()
            rest = {
                key: replace(
                    entry,
                    fields=tuple(place for place in entry.fields if place != path),
                    metadata=tuple(place for place in entry.metadata if place != path),
                )
                for key, entry in declared.entries.items()
            }
            impersonal = {place: why for place, why in declared.impersonal.items() if place != path}
            found = gaps(replace(declared, entries=rest, impersonal=impersonal))
            assert ("datamap.E002", f"{path} is not in the data map") in found


@isolate_apps("mindstage.stories")
def test_a_new_field_is_a_gap() -> None:
    """A model that somebody adds tomorrow fails the check until it is declared."""

    class Diary(models.Model):
        words = models.TextField()

        class Meta:
            app_label = "stories"

    found = gaps(found=[*ALL, Diary])
    assert found == {
        ("datamap.E002", "stories.Diary.id is not in the data map"),
        ("datamap.E002", "stories.Diary.words is not in the data map"),
    }


def test_a_declared_field_that_does_not_exist() -> None:
    """A declaration outlives its field no longer than to the next check."""
    declared = replace(data_map(), impersonal=data_map().impersonal | {"stories.Turn.colour": "a reason"})
    assert gaps(declared) == {("datamap.E003", "datamap.toml declares stories.Turn.colour, which does not exist")}
    assert {gap for gap, _ in gaps(found=[model for model in ALL if model is not Draft])} == {"datamap.E003"}


def test_a_sealed_field_under_another_entry() -> None:
    """A sealed column belongs to the entry that it names: that one says for what it may be opened."""
    story, draft = data_map().entries["story"], data_map().entries["draft"]
    declared = changed("story", fields=tuple(path for path in story.fields if path != "stories.Turn.text"))
    declared = replace(
        declared, entries=declared.entries | {"draft": replace(draft, fields=(*draft.fields, "stories.Turn.text"))}
    )
    assert {gap for gap, _ in gaps(declared)} == {"datamap.E005"}
    loose = changed(
        "story",
        fields=tuple(path for path in story.fields if path != "stories.Turn.text"),
        metadata=(*story.metadata, "stories.Turn.text"),
    )
    assert {gap for gap, _ in gaps(loose)} == {"datamap.E005"}


def test_a_clear_column_declared_as_sealed() -> None:
    """Nothing is sealed because a file says so."""
    story = data_map().entries["story"]
    declared = changed(
        "story",
        fields=(*story.fields, "stories.Turn.problem"),
        metadata=tuple(path for path in story.metadata if path != "stories.Turn.problem"),
    )
    assert gaps(declared) == {("datamap.E004", "stories.Turn.problem is declared as sealed but is a clear column")}


@isolate_apps("mindstage.stories")
def test_a_sealed_column_that_names_no_entry() -> None:
    """A sealed column without an entry could be opened for nothing; the check says so first."""

    class Diary(SealedRow):
        words = SealedField()

        class Meta:
            app_label = "stories"

    story = data_map().entries["story"]
    declared = changed(
        "story", fields=(*story.fields, "stories.Diary.words"), metadata=(*story.metadata, "stories.Diary.id")
    )
    assert {gap for gap, _ in gaps(declared, [*ALL, Diary])} == {"datamap.E005"}


@pytest.mark.parametrize("name", ["DATABASES", "CACHES", "LOGGING", "COOKIES"])
def test_a_store_that_is_not_declared(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One more database, cache, log handler or cookie in the settings fails the check."""
    changes: dict[str, Any] = {
        "DATABASES": settings.DATABASES | {"other": {}},
        "CACHES": settings.CACHES | {"other": {}},
        "LOGGING": {**settings.LOGGING, "handlers": {**settings.LOGGING["handlers"], "other": {}}},  # type: ignore[dict-item]
        "COOKIES": (*settings.COOKIES, "other"),
    }
    kept = {key: getattr(settings, key) for key in (*changes, "MINDSTAGE")}
    monkeypatch.setattr(checks, "settings", SimpleNamespace(**{**kept, name: changes[name]}))
    kinds = {"DATABASES": "database", "CACHES": "cache", "LOGGING": "log", "COOKIES": "cookie"}
    assert gaps() == {("datamap.E006", f"the store {kinds[name]}:other is not in the data map")}


def test_a_folder_that_is_not_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more folder in the configuration fails the check, and one more store of it without a word of its files."""
    configuration = SimpleNamespace(**{name: "" for name in dir(settings.MINDSTAGE) if name.endswith("_dir")})
    configuration.portraits_dir = "/somewhere"
    kept = {key: getattr(settings, key) for key in ("DATABASES", "CACHES", "LOGGING", "COOKIES")}
    monkeypatch.setattr(checks, "settings", SimpleNamespace(**kept, MINDSTAGE=configuration))
    assert gaps() == {("datamap.E006", "the store folder:portraits is not in the data map")}
    more = Store("folder:portraits", "Portraits", "pictures", "never")
    assert gaps(replace(data_map(), stores=data_map().stores | {more.id: more})) == {
        ("datamap.E008", "the data map does not say which files are of the store folder:portraits")
    }


@pytest.mark.parametrize("kind", ["folder", "database", "cache", "log", "cookie", "memory"])
def test_a_store_that_nothing_uses(kind: str) -> None:
    """A promise about a place that is not there would be kept by nobody. Saying where its files lie makes it no use."""
    more = Store(f"{kind}:other", "Another", "something", "some day")
    fault = ("datamap.E007", f"datamap.toml declares the store {kind}:other, which nothing uses")
    declared = replace(data_map(), stores=data_map().stores | {more.id: more})
    assert gaps(declared) == {fault}
    assert gaps(replace(declared, where=declared.where | {more.id: ("mindstage.vault.keys.Gone",)})) == {fault}


def test_memory_whose_holder_is_gone() -> None:
    """What the map says of a process's memory is said of an object of the program."""
    declared = data_map()
    for store in ("memory:keys", "memory:runs", "memory:narrator"):
        for other in ("mindstage.vault.keys.Gone", "mindstage.gone.Cache"):
            moved = replace(declared, where=declared.where | {store: (other,)})
            assert gaps(moved) == {("datamap.E007", f"datamap.toml declares the store {store}, which nothing uses")}


def test_no_file_is_of_two_stores() -> None:
    """What is promised of a file is promised once."""
    where = {store: own for store, own in data_map().where.items() if store.startswith(checks.OF_FILES)}
    met = [
        [store for store, own in where.items() if any(re.fullmatch(file, name) for file in own)] for name in KNOWN_FILES
    ]
    assert sorted(met) == sorted([store] for store in where)


KNOWN_FILES = (
    "data/database/mindstage.sqlite3-wal",
    "data/keystore/keystore.sqlite3",
    "data/ledger/ledger.jsonl",
    f"data/ledger/receipts/{'0f' * 20}.sealed",
    f"data/exports/{'0f' * 16}.export",
    "data/models/story-1.5b.gguf.part.json",
    "keys/root.key",
    f"keys-escrow/keystore/20260101-123456789012-{'0f' * 16}.copy",
    f"data-backups/{'0f' * 16}.backup",
)
"""One of each store."""


def test_a_fault_of_the_file_is_an_error_of_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map that cannot be read fails the check with its own words, and no traceback."""

    def refuse() -> DataMap:
        raise MapFault("entry letter in datamap.toml lacks erase")

    monkeypatch.setattr(checks, "data_map", refuse)
    assert [(error.id, error.msg) for error in check_data_map()] == [
        ("datamap.E001", "entry letter in datamap.toml lacks erase")
    ]


def test_purposes_and_map_name_the_same() -> None:
    """Every purpose opens something, and no entry is opened for something that is no purpose."""
    allowed = {name for entry in data_map().entries.values() for name in entry.opened_for}
    assert allowed == {str(purpose) for purpose in Purpose}


@pytest.mark.parametrize("entry", sorted(data_map().entries))
def test_other_purposes_are_refused(entry: str) -> None:
    """An entry opens for the purposes that it names and for no other."""
    for purpose in Purpose:
        if purpose in data_map().entries[entry].opened_for:
            allow(entry, purpose)
        else:
            with pytest.raises(PurposeRefused):
                allow(entry, purpose)


def test_a_column_refuses_other_purposes() -> None:
    """Also where a row is opened: before any key is asked for."""
    with pytest.raises(PurposeRefused):
        Turn().open("text", Purpose.SIGN_IN)
    with pytest.raises(PurposeRefused):
        Draft().open("text", Purpose.NARRATE)


def test_every_sealed_column_has_an_entry() -> None:
    """Each names an entry of the map, and stands there among the sealed fields."""
    sealed = [(model, field) for model in ALL for field in model._meta.local_fields if isinstance(field, SealedField)]
    assert len(sealed) > 8
    for model, field in sealed:
        assert f"{model._meta.label}.{field.name}" in data_map().entries[field.entry].fields


def test_no_logger_has_a_handler_of_its_own(tmp_path: Path) -> None:
    """Whatever logs, it goes through the one declared handler: a fresh process is asked, with all libraries loaded."""
    script = (
        "import logging, os, tempfile; import mindstage.config.asgi, uvicorn, aiohappyeyeballs, PIL.Image;"
        "loggers = [logging.root, *map(logging.getLogger, list(logging.root.manager.loggerDict))];"
        "kinds = [f'{one.name}: {type(handler).__name__} {handler.formatter.__class__.__name__}'"
        " for one in loggers for handler in one.handlers if not isinstance(handler, logging.NullHandler)];"
        "print(chr(10).join(kinds))"
    )
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True, timeout=90
    )
    assert done.stdout.split() == ["root:", "TerminalHandler", "PlainFormatter"]
    assert set(settings.LOGGING["handlers"]) == {"terminal"}
    assert logging.getLogger("django.request").getEffectiveLevel() == logging.CRITICAL
