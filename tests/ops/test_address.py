"""The address that `serve` prints is one under which browsers offer everything; letters name the instance's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mindstage.config.configuration import ConfigurationMistake, load
from mindstage.kit.addresses import address_to_open


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::", "localhost"])
def test_this_machine_goes_by_its_name(host: str) -> None:
    """Under a number browsers offer no passkeys."""
    assert address_to_open(host, 8470) == "http://localhost:8470"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "http://192.0.2.7:8470"),
        ("fd00::7", "http://[fd00::7]:8470"),
        ("attic.lan", "http://attic.lan:8470"),
    ],
)
def test_any_other_address_is_printed_as_it_is(host: str, address: str) -> None:
    assert address_to_open(host, 8470) == address


@pytest.mark.parametrize(("host", "name"), [("192.0.2.7", "192.0.2.7"), ("fd00::7", "[fd00::7]"), ("::", "")])
def test_what_it_listens_on_is_a_name_that_it_answers_to(host: str, name: str, tmp_path: Path) -> None:
    """As browsers write it: an address of the sixth version stands in brackets there."""
    script = "from mindstage.config.settings import ALLOWED_HOSTS; print(ALLOWED_HOSTS[3:])"
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MINDSTAGE_HOST": host}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=90)
    assert done.stdout.strip() == str([name] if name else [])


@pytest.mark.parametrize(
    ("written", "site"),
    [
        ({}, "http://localhost:8470/"),
        ({"HOST": "attic.lan", "PORT": "80"}, "http://attic.lan:80/"),
        ({"ALLOWED_HOSTS": "*.example.org,stage.lan"}, "http://stage.lan:8470/"),
        ({"ALLOWED_HOSTS": "stage.lan", "PROXY": "127.0.0.1"}, "https://stage.lan/"),
        ({"ALLOWED_HOSTS": "stage.lan", "ADDRESS": "https://stage.example.org"}, "https://stage.example.org/"),
        ({"ADDRESS": "https://example.org/stage/"}, "https://example.org/stage/"),
    ],
)
def test_letters_name_the_address_of_this_instance(written: dict[str, str], site: str, tmp_path: Path) -> None:
    """The one that was written down, or the first name that it answers to."""
    config = tmp_path / "mindstage.toml"
    config.touch()
    environ = {"MINDSTAGE_CONFIG": str(config), **{f"MINDSTAGE_{name}": value for name, value in written.items()}}
    assert load(environ).site == site


def test_an_address_is_one_of_the_web(tmp_path: Path) -> None:
    """A mistake is found at the start and not in the first letter."""
    config = tmp_path / "mindstage.toml"
    config.write_text('address = "stage.example.org"')
    with pytest.raises(ConfigurationMistake, match="address"):
        load({"MINDSTAGE_CONFIG": str(config)})
