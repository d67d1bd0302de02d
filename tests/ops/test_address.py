"""The address that `serve` prints is one under which browsers offer everything."""

from __future__ import annotations

import pytest

from mindstage.ops.commands.serve import address_to_open


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
