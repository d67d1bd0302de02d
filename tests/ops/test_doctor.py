"""The doctor: finds each mistake by name, says the next step, changes nothing, tells no key."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mindstage.config.configuration import Configuration, ProviderEntry
from mindstage.ops import doctor
from mindstage.ops.findings import Finding
from mindstage.vault.root_key import create_root_key


@pytest.fixture
def instance(tmp_path: Path) -> Configuration:
    """An instance that was never started, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Configuration(tmp_path / "data", tmp_path / "keys", port=free.getsockname()[1])


def found(findings: Iterator[Finding]) -> dict[str, str]:
    return {finding.name: finding.level for finding in findings}


def test_a_new_instance_has_no_mistake(instance: Configuration) -> None:
    """Before the first start everything is in order, and looking makes no file."""
    findings = doctor.examine(instance)
    assert [finding for finding in findings if finding.level == "mistake"] == []
    assert not instance.data_dir.exists()
    assert not instance.keys_dir.exists()


def test_what_others_can_read(instance: Configuration) -> None:
    """A file that others can read is a mistake, with its cure: among stories, keys and their escrow."""
    for folder in (instance.data_dir, instance.keys_dir, instance.escrow_dir):
        folder.mkdir(mode=0o700)
    assert set(found(doctor.check_permissions(instance)).values()) == {"ok"}
    for folder in (instance.data_dir, instance.keys_dir, instance.escrow_dir):
        (folder / "left").write_text("")
        (folder / "left").chmod(0o644)
    findings = list(doctor.check_permissions(instance))
    assert [finding.level for finding in findings] == ["mistake"] * 3
    assert all("chmod" in finding.next_step for finding in findings)


def test_keys_inside_data(instance: Configuration) -> None:
    """A keys folder within the data folder is a mistake."""
    inside = replace(instance, keys_dir=instance.data_dir / "keys")
    assert found(doctor.check_keys_outside_data(inside)) == {"root key's place": "mistake"}


def test_keys_with_the_backups(instance: Configuration) -> None:
    """So is one that lies with the backups, which are made to be carried away."""
    for backups in (instance.keys_dir, instance.keys_dir.parent, instance.keys_dir / "backups"):
        carried = replace(instance, backups=str(backups))
        assert found(doctor.check_keys_outside_data(carried)) == {"root key's place": "mistake"}
    assert found(doctor.check_keys_outside_data(instance)) == {"root key's place": "ok"}


def test_root_key_that_is_none(instance: Configuration) -> None:
    """A file that is no root key is a mistake; a good one is not."""
    create_root_key(instance.keys_dir)
    assert found(doctor.check_keys(instance)) == {"keys": "ok"}
    (instance.keys_dir / "root.key").write_text("hello")
    assert found(doctor.check_keys(instance)) == {"keys": "mistake"}


def test_keystore_with_a_log(instance: Configuration) -> None:
    """A write-ahead log beside the keystore is a mistake: destroyed keys would live on in it."""
    instance.keystore_file.parent.mkdir(parents=True)
    instance.keystore_file.touch()
    assert found(doctor.check_keystore_journal(instance)) == {"keystore's journal": "ok"}
    instance.keystore_file.with_name("keystore.sqlite3-wal").touch()
    assert found(doctor.check_keystore_journal(instance)) == {"keystore's journal": "mistake"}


def test_port_of_another_program(instance: Configuration) -> None:
    """A port that somebody else has is a mistake."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", instance.port))
        other.listen()
        other.setblocking(False)
        assert found(doctor.check_port(instance)) == {"port": "mistake"}


def test_provider_without_its_key(instance: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is not set is a mistake; one that is set is never told."""
    entry = ProviderEntry("far", "openai", "https://far.invalid/v1", "FAR_KEY", ("m",), "EU", "nothing", "no")
    configured = replace(instance, providers=(entry,))
    monkeypatch.delenv("FAR_KEY", raising=False)
    assert found(doctor.check_providers(configured)) == {"provider far": "mistake"}
    monkeypatch.setenv("FAR_KEY", "sk-very-secret")
    findings = list(doctor.check_providers(configured))
    assert [finding.level for finding in findings] == ["ok"]
    assert "secret" not in json.dumps([finding.as_json() for finding in findings])


def test_provider_that_says_too_little(instance: Configuration) -> None:
    """Without `retains` and `trains` the pages cannot tell people what happens to their words."""
    entry = ProviderEntry("near", "openai", "http://127.0.0.1:1/v1", models=("m",))
    assert found(doctor.check_providers(replace(instance, providers=(entry,)))) == {"provider near": "warning"}


def test_a_key_that_crosses_the_network_in_clear(instance: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    """http with a key is a warning, except to this machine itself."""
    monkeypatch.setenv("AKEY", "x")
    far, near = (
        ProviderEntry("p", base_url=url, api_key_env="AKEY", models=("m",), retains="no", trains="no")
        for url in ("http://far.example/v1", "http://127.0.0.1:1/v1")
    )
    said = [next(doctor.check_providers(replace(instance, providers=(entry,)))) for entry in (far, near)]
    assert [finding.level for finding in said] == ["warning", "ok"]


def test_error_pages_for_the_network(instance: Configuration) -> None:
    """debug shows open texts, so it is a mistake wherever others can reach it."""
    for reached in (replace(instance, host="0.0.0.0"), replace(instance, proxy="127.0.0.1")):
        assert found(doctor.check_configuration(replace(reached, debug=True)))["debug"] == "mistake"
    assert "debug" not in found(doctor.check_configuration(replace(instance, debug=True)))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_network_that_is_answered_by_no_name(instance: Configuration, host: str) -> None:
    """Listening everywhere is half of it: every visitor would get an error page until the names are written down."""
    listening = replace(instance, host=host)
    assert found(doctor.check_configuration(listening))["names"] == "warning"
    assert "names" not in found(doctor.check_configuration(replace(listening, allowed_hosts=("attic.lan",))))
    assert "names" not in found(doctor.check_configuration(instance))


@pytest.mark.parametrize(
    ("keystore", "database", "says"),
    [((7, 3), (7, 3), ""), ((9, 3), (7, 5), ""), ((6, 3), (7, 3), "restore --keystore"), ((7, 4), (7, 3), "--replay")],
    ids=["of one time", "each has counted since", "an old keystore", "an old database"],
)
def test_an_old_file_that_was_put_back(
    instance: Configuration, keystore: tuple[int, int], database: tuple[int, int], says: str
) -> None:
    """What keeps the next start closed is said before it, with the way out."""
    for file, table, names, values in (
        (instance.keystore_file, "vault_keystore", "generation INT, database_generation INT", keystore),
        (instance.database_file, "ledger_databasemark", "keystore_generation INT, generation INT", database),
    ):
        file.parent.mkdir(parents=True)
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(f"CREATE TABLE {table} ({names})")
            connection.execute(f"INSERT INTO {table} VALUES (?, ?)", values)
    (said,) = doctor.check_ages(instance)
    assert (said.level, says in said.sentence) == ("mistake" if says else "ok", True)
