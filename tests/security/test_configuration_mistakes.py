"""A provider that is written wrongly is one sentence, never a traceback or a model called "g"."""

from __future__ import annotations

from pathlib import Path

import pytest

from mindstage.config.configuration import Configuration, ConfigurationMistake, load

GOOD = {"id": '"p"', "base_url": '"http://127.0.0.1:1/v1"', "models": '["one"]', "context": "4096"}


def read(folder: Path, **changed: str) -> None:
    file = folder / "mindstage.toml"
    file.write_text("[[provider]]\n" + "\n".join(f"{key} = {value}" for key, value in (GOOD | changed).items()))
    load({"MINDSTAGE_CONFIG": str(file)})


def test_a_good_provider_is_read(tmp_path: Path) -> None:
    """The table that the others are changed from."""
    read(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("models", '"gpt"'),
        ("models", "[1]"),
        ("models", '[""]'),
        ("base_url", "5"),
        ("context", '"8192"'),
        ("context", "-5"),
        ("context", "true"),
        ("retains", "true"),
        ("id", "5"),
        ("api_key_env", '["KEY"]'),
    ],
)
def test_a_value_of_the_wrong_shape_is_named(tmp_path: Path, key: str, value: str) -> None:
    """The sentence says which setting, and what it should be; a value is not repeated: it may be a key."""
    with pytest.raises(ConfigurationMistake, match=f": {key} must be ") as mistake:
        read(tmp_path, **{key: value})
    assert key == "id" or value not in str(mistake.value)


@pytest.mark.parametrize("value", ["nan", "inf", "0", "-1", "soon"])
def test_a_wait_that_would_never_end_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationMistake, match="stall_seconds"):
        load({"MINDSTAGE_STALL_SECONDS": value})


@pytest.mark.parametrize("value", ["Middle/Earth", "", "../../etc/passwd", "/etc/localtime", "Europe"])
def test_a_time_zone_that_is_none_is_refused(value: str) -> None:
    """A name that no list of zones has, a path, a folder of zones."""
    with pytest.raises(ConfigurationMistake, match="time_zone"):
        load({"MINDSTAGE_TIME_ZONE": value})


@pytest.mark.parametrize("name", ["DATA", "KEYS", "HOST"])
def test_nothing_is_no_place(name: str) -> None:
    """A variable that is set to nothing names no folder: it would be the one in which somebody stood."""
    with pytest.raises(ConfigurationMistake, match="cannot be ''"):
        load({f"MINDSTAGE_{name}": ""})


@pytest.mark.parametrize(
    "written",
    [
        "retention = 5",
        "[retention]\nsession = 1.5",
        "port = true",
        "port = 3.7",
        "replies_at_once = 1.5",
        "narrator_threads = 0.5",
        'debug = "maybe"',
        "host = 5",
        "name = 5",
        'operator = ["ada"]',
        'allowed_hosts = ["here", 5]',
        'host = "a\\u0000b"',
        'data_dir = "a\\u0000b"',
        'escrow = "~nobody-of-this-name/escrow"',
        "backups = 5",
    ],
)
def test_a_setting_of_the_wrong_shape_is_named(tmp_path: Path, written: str) -> None:
    """Never a traceback, and nothing rounded or read as something else."""
    file = tmp_path / "mindstage.toml"
    file.write_text(written)
    name = "retention" if "retention" in written else written.partition(" ")[0]
    with pytest.raises(ConfigurationMistake, match=f"The setting {name} cannot be"):
        load({"MINDSTAGE_CONFIG": str(file)})


def test_two_providers_of_one_name_are_refused(tmp_path: Path) -> None:
    """A story remembers its narrator by that name."""
    file = tmp_path / "mindstage.toml"
    table = "[[provider]]\n" + "\n".join(f"{key} = {value}" for key, value in GOOD.items())
    file.write_text(f"{table}\n{table}\n")
    with pytest.raises(ConfigurationMistake, match="same id"):
        load({"MINDSTAGE_CONFIG": str(file)})


@pytest.mark.parametrize("url", ["mysql://ada:planted@here/there", "postgresql://ada:planted@here:port/there"])
@pytest.mark.parametrize("name", ["database_url", "keystore_url"])
def test_a_server_that_is_no_postgresql_is_refused(name: str, url: str) -> None:
    """The setting is named, and no password that stands in it."""
    with pytest.raises(ConfigurationMistake, match=name) as refused:
        load({f"MINDSTAGE_{name.upper()}": url})
    assert "planted" not in str(refused.value)


def test_a_configuration_prints_no_password(tmp_path: Path) -> None:
    """Wherever it is shown."""
    told = {"database_url": "postgresql://a:planted@b/c", "keystore_url": "postgresql://a:planted@b/d"}
    assert "planted" not in repr(Configuration(tmp_path, tmp_path, **told))
