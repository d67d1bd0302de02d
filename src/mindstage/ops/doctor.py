"""What `mindstage doctor` looks at: one small function for each thing. None of them writes anything."""

from __future__ import annotations

import http.client
import os
import resource
import shutil
import sqlite3
import stat
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from mindstage.kit.addresses import EVERYWHERE, as_name
from mindstage.kit.words import counted
from mindstage.ops.findings import Finding, Level
from mindstage.ops.instance import Instance
from mindstage.ops.keys_at_start import refuse_wrong_keys
from mindstage.ops.mistakes import StartMistake
from mindstage.ops.night_checks import (
    check_erasures,
    check_escrow,
    check_keystore_copies,
    check_nights,
    check_retention,
    check_snapshots,
    is_with,
)
from mindstage.ops.reading_files import exists, read_rows
from mindstage.ops.schema import known_migrations, refuse_newer_schema
from mindstage.ops.starting import bind, refuse_unwritable
from mindstage.vault.recovery_sheet import sheet_made_on
from mindstage.vault.root_key import NAME, KeyMistake

ROOM: Final = 1_000_000_000
"""Bytes that should be free beside the data: below it a busy instance may not last the week."""
OLDEST_SQLITE: Final = (3, 37, 0)

type Check = Callable[[Instance], Iterator[Finding]]


def examine(instance: Instance) -> list[Finding]:
    """Look at everything, in the order in which it matters. What may not be looked at is said once."""
    return list(dict.fromkeys(finding for check in CHECKS for finding in _look(check, instance)))


def _look(check: Check, instance: Instance) -> Iterator[Finding]:
    try:
        yield from check(instance)
    except OSError as error:
        yield Finding(
            "rights",
            "mistake",
            f"{error.filename or 'something'} cannot be looked at: {error.strerror or 'the system refuses it'}",
            "Give this program's user the right, or ask as the user that Mindstage runs as.",
        )


def check_configuration(instance: Instance) -> Iterator[Finding]:
    file = instance.config_file
    if instance.debug and instance.serves_others:
        yield Finding(
            "debug", "mistake", "error pages show open texts to the network", "Take debug out of the settings."
        )
    if instance.answers_to_no_name:
        yield Finding(
            "names",
            "warning",
            "it listens to the whole network, and answers there to no name or address: visitors get an error page",
            'Name in mindstage.toml what they type, such as allowed_hosts = ["192.168.1.20"].',
        )
    yield Finding(
        "configuration", "ok", f"read from {file}" if file else "no mindstage.toml: the defaults and the environment"
    )


def check_folders(instance: Instance) -> Iterator[Finding]:
    try:
        refuse_unwritable(instance)
    except StartMistake as mistake:
        yield Finding("folders", "mistake", str(mistake))
        return
    yield Finding("folders", "ok", f"stories in {instance.data_dir}, keys in {instance.keys_dir}")


def check_permissions(instance: Instance) -> Iterator[Finding]:
    yield _find_open("data folder", instance.data_dir)
    yield _find_open("keys folder", instance.keys_dir)
    if instance.escrow_dir.is_dir():
        yield _find_open("escrow's folder", instance.escrow_dir)


def check_keys_outside_data(instance: Instance) -> Iterator[Finding]:
    if instance.has_root_key_inside_data:
        yield Finding(
            "root key's place",
            "mistake",
            "the root key lies inside the data folder, where every copy of the data carries it",
            "Move the keys folder elsewhere and set keys_dir in mindstage.toml.",
        )
    elif is_with(instance.keys_dir, instance.backups_dir):
        yield Finding(
            "root key's place",
            "mistake",
            "the root key lies with the backups, and whoever gets a copy of them gets it too",
            "Set keys_dir or backups in mindstage.toml to a folder elsewhere, and move it there.",
        )
    else:
        yield Finding("root key's place", "ok", "outside the data folder")


def check_schema(instance: Instance) -> Iterator[Finding]:
    try:
        refuse_newer_schema(instance)
        if not exists(instance, "default"):
            yield Finding("schema", "ok", "made at the first start")
            return
        applied = read_rows(instance, "default", "SELECT app, name FROM django_migrations")
        applied += read_rows(instance, "keystore", "SELECT app, name FROM django_migrations")
    except StartMistake as mistake:
        yield Finding("schema", "mistake", str(mistake))
        return
    behind = len(known_migrations() - set(applied))
    said = f"{counted(behind, 'step')} behind, which the next start makes" if behind else "up to date"
    yield Finding("schema", "ok", said)


def check_keys(instance: Instance) -> Iterator[Finding]:
    try:
        refuse_wrong_keys(instance)
    except (KeyMistake, StartMistake) as mistake:
        yield Finding("keys", "mistake", str(mistake))
        return
    made = (instance.keys_dir / NAME).exists()
    yield Finding(
        "keys", "ok", "the root key opens the epoch file, and it the keystore" if made else "made at the first start"
    )


def check_ages(instance: Instance) -> Iterator[Finding]:
    """An old file that was put back: the next start stays closed, and one that runs may be closed already."""
    from mindstage.vault.start_check import OLD_DATABASE, OLD_KEYSTORE

    try:
        # In this order, as the start does: each side counts first, and tells the other afterwards.
        told = read_rows(instance, "default", "SELECT keystore_generation FROM ledger_databasemark")
        state = read_rows(instance, "keystore", "SELECT generation, database_generation FROM vault_keystore")
        mark = read_rows(instance, "default", "SELECT generation FROM ledger_databasemark")
    except StartMistake:
        return  # said by the check of the schema
    if not state:
        return
    keystore, seen = state[0]
    if told and keystore < told[0][0]:
        yield Finding("age", "mistake", OLD_KEYSTORE)
    elif (mark[0][0] if mark else 0) < seen:
        yield Finding("age", "mistake", OLD_DATABASE)
    else:
        yield Finding("age", "ok", "database and keystore are of one time")


def check_recovery_sheet(instance: Instance) -> Iterator[Finding]:
    if not (instance.keys_dir / NAME).exists():
        return
    made = sheet_made_on(instance.keys_dir)
    yield Finding(
        "recovery sheet",
        "ok" if made else "warning",
        f"made on {made}" if made else "none was made: if the file of the root key is lost, everything is",
        "" if made else "mindstage keys sheet FILE.html",
    )


def check_keystore_journal(instance: Instance) -> Iterator[Finding]:
    if instance.keystore_url or not instance.keystore_file.exists():
        return
    if instance.keystore_file.with_name(instance.keystore_file.name + "-wal").exists():
        yield Finding(
            "keystore's journal",
            "mistake",
            "the keystore has a write-ahead log, in which destroyed keys live on",
            "Stop Mindstage and start it again: it goes back to a rollback journal.",
        )
    else:
        yield Finding("keystore's journal", "ok", "a rollback journal: a destroyed key stays nowhere")


def check_sqlite(instance: Instance) -> Iterator[Finding]:
    if instance.database_url and instance.keystore_url:
        return
    old = sqlite3.sqlite_version_info < OLDEST_SQLITE
    oldest = ".".join(map(str, OLDEST_SQLITE))
    yield Finding(
        "SQLite",
        "mistake" if old else "ok",
        f"version {sqlite3.sqlite_version}",
        f"Use a Python that comes with SQLite {oldest} or newer." if old else "",
    )


def check_disk(instance: Instance) -> Iterator[Finding]:
    place = instance.data_dir
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    yield Finding(
        "disk",
        "warning" if free < ROOM else "ok",
        f"{free / 1e9:.1f} GB are free beside the data",
        "Make room: when the disk is full no turn can be stored." if free < ROOM else "",
    )


def check_port(instance: Instance) -> Iterator[Finding]:
    try:
        bind(instance.host, instance.port).close()
    except StartMistake as mistake:
        yield _who_answers(instance, str(mistake))
        return
    yield Finding("port", "ok", f"{instance.port} on {instance.host} is free: Mindstage is not running")


def check_narrators(instance: Instance) -> Iterator[Finding]:
    from mindstage.gateway.ai_models.catalogue import CATALOGUE, locate

    here = [model.title for model in CATALOGUE if locate(model, models_dir=instance.models_dir)]
    if here:
        yield Finding("narrators here", "ok", ", ".join(here))
    else:
        level: Level = "ok" if instance.providers else "warning"
        yield Finding("narrators here", level, "none", "mindstage models install smollm2")


def check_providers(instance: Instance) -> Iterator[Finding]:
    for entry in instance.providers:
        yield _of_file(entry) if entry.kind == "embedded" else _of_server(entry)


def check_core_dumps(instance: Instance) -> Iterator[Finding]:  # noqa: ARG001 - every check is called alike
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    said = "off" if hard == 0 else "the program turns them off for itself at its start"
    yield Finding("core dumps", "ok", said)


CHECKS: Final[tuple[Check, ...]] = (
    check_configuration,
    check_folders,
    check_permissions,
    check_keys_outside_data,
    check_schema,
    check_keys,
    check_ages,
    check_recovery_sheet,
    check_keystore_journal,
    check_sqlite,
    check_disk,
    check_port,
    check_narrators,
    check_providers,
    check_core_dumps,
    check_keystore_copies,
    check_escrow,
    check_snapshots,
    check_nights,
    check_erasures,
    check_retention,
)


def _find_open(name: str, folder: Path) -> Finding:
    """Whether anybody but its owner can read what lies in a folder with keys or stories."""
    if not folder.is_dir():
        return Finding(name, "ok", f"{folder} is made at the first start")
    open_to_others = [path for path in (folder, *folder.rglob("*")) if _is_open_to_others(path)]
    if not open_to_others:
        return Finding(name, "ok", "readable by its owner alone")
    count = counted(len(open_to_others), "file or folder", "files and folders")
    said = f"others can read {count}, the first is {open_to_others[0]}"
    return Finding(name, "mistake", said, f"chmod -R go= {folder}")


def _is_open_to_others(path: Path) -> bool:
    try:
        return not path.is_symlink() and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except OSError:
        return False


def _who_answers(instance: Instance, mistake: str) -> Finding:
    host = "127.0.0.1" if instance.host in EVERYWHERE else instance.host
    url = f"http://{as_name(host)}:{instance.port}/healthz"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=1) as response:
            ready = response.read(100) == b'{"ready": true}'
    except urllib.error.HTTPError as answer:
        if answer.read(100) == b'{"ready": false}':
            return Finding("port", "warning", f"Mindstage answers on {instance.port}, but is closed or begins just now")
        ready = False
    except (OSError, ValueError, http.client.HTTPException):
        ready = False
    if ready:
        return Finding("port", "ok", f"Mindstage answers on {instance.port}")
    return Finding("port", "mistake", mistake)


def _of_file(entry: Any) -> Finding:
    if Path(entry.path).expanduser().is_file():
        return Finding(f"narrator {entry.id}", "ok", "its model file is here")
    return Finding(
        f"narrator {entry.id}", "mistake", f"there is no file {entry.path}", "Correct path in mindstage.toml."
    )


def _is_here(url: str) -> bool:
    return (urlsplit(url).hostname or "") in ("127.0.0.1", "::1", "localhost")


def _of_server(entry: Any) -> Finding:
    name = f"provider {entry.id}"
    if entry.api_key_env and not os.environ.get(entry.api_key_env):
        return Finding(
            name,
            "mistake",
            f"the environment variable {entry.api_key_env}, which should hold its key, is not set",
            "Set it where Mindstage is started.",
        )
    if entry.api_key_env and entry.base_url.startswith("http://") and not _is_here(entry.base_url):
        return Finding(
            name,
            "warning",
            "its key and every story sent to it cross the network unencrypted (http)",
            "Use an address that begins with https://.",
        )
    if not (entry.retains and entry.trains):
        return Finding(
            name,
            "warning",
            "mindstage.toml does not say what it keeps and whether it trains on stories, so the pages cannot either",
            "Set retains and trains.",
        )
    return Finding(name, "ok", f"{counted(len(entry.models), 'model')}, {entry.region or 'no region named'}")
