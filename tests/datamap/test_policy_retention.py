"""An operator may keep things shorter than the policy, never longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from mindstage.accounts.sessions import purge_ended_sessions
from mindstage.config.configuration import ConfigurationMistake, load
from mindstage.datamap.reading import data_map
from mindstage.datamap.retention import PROMISES, KeptTooLong, days_in, kept_days, promised_days, refuse_longer
from mindstage.kit import clock
from mindstage.vault.backup_keys import make_backup_key
from mindstage.vault.models import BackupKey
from people import make_person, signed_in_client


@pytest.mark.parametrize(
    ("sentence", "days"),
    [
        ("30 days, 7 without use", 30),
        ("30 days, 90 at the very most: the key is destroyed by the clock", 30),
        ("1 year", 365),
        ("2 years", 730),
        ("a year, as the framework sets it", 365),
        ("until the account is deleted", None),
    ],
)
def test_spans_in_sentences(sentence: str, days: int | None) -> None:
    """The map's own words are the numbers that the clocks and the configuration are held to."""
    assert days_in(sentence) == days


def test_every_promise_that_can_be_shortened_is_a_number() -> None:
    """Each name of [retention] leads to a sentence of the map that names a span."""
    assert {name: promised_days(name) for name in PROMISES} == {"session": 30, "draft": 30, "trash": 30, "backups": 30}


def test_whatever_lies_in_the_trash_is_kept_as_the_operator_chose() -> None:
    """Each entry that ends there: the policy and the page of one's data say the shorter time behind its promise."""
    entries = data_map().entries
    ends = {
        ("entry", key, "retention_after") for key, entry in entries.items() if "in the trash" in entry.retention_after
    }
    assert len(ends) >= 3
    assert ends == set(PROMISES["trash"])


def test_what_is_kept() -> None:
    """The promise, unless the operator's number is smaller."""
    assert kept_days("session", {}) == 30
    assert kept_days("session", {"session": 7}) == 7
    assert kept_days("session", {"session": 99}) == 30


@pytest.mark.parametrize(("name", "days"), [("session", 31), ("session", 0), ("session", -1), ("biscuits", 3)])
def test_longer_is_refused(name: str, days: int) -> None:
    """So is nothing at all, and a name that the policy does not know."""
    with pytest.raises(KeptTooLong, match=name):
        refuse_longer({name: days})


def test_the_configuration_refuses_to_load(tmp_path: Path) -> None:
    """A start with a longer retention ends with a sentence, before anything was touched; a shorter one is taken."""
    toml = tmp_path / "mindstage.toml"
    environ = {"MINDSTAGE_CONFIG": str(toml), "MINDSTAGE_DATA": str(tmp_path), "MINDSTAGE_KEYS": str(tmp_path)}
    toml.write_text("[retention]\nsession = 31\n")
    with pytest.raises(ConfigurationMistake, match="promises 30 at most"):
        load(environ)
    toml.write_text("[retention]\nsession = 14\n")
    assert load(environ).retention == {"session": 14}
    assert load(environ | {"MINDSTAGE_RETENTION": "draft=3"}).retention == {"draft": 3}
    toml.write_text('[retention]\nsession = "long"\n')
    with pytest.raises(ConfigurationMistake):
        load(environ)


@pytest.mark.django_db(databases=["default", "keystore"], transaction=True)
def test_the_clocks_go_by_the_shorter_time(vault: None) -> None:
    """Sessions end and backup keys die after the operator's days: the moment before, the moment after."""
    ada = make_person("ada")
    with override_settings(MINDSTAGE=replace(settings.MINDSTAGE, retention={"session": 3, "backups": 2})):
        client, _ = signed_in_client(ada), signed_in_client(ada)
        with clock.moved(timedelta(days=3, seconds=-5)):
            assert client.get("/account/").status_code == 200
        with clock.moved(timedelta(days=3)):
            assert client.get("/account/").status_code == 302
            assert purge_ended_sessions() == 1
        make_backup_key()
    (row,) = BackupKey.objects.using("keystore").all()
    assert row.destroy_on - row.made_on == timedelta(days=2)
