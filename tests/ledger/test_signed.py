"""What an instance signs is checked offline: genuine or not, in a sentence, whatever bytes come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.__main__ import main
from mindstage.ledger import signing
from mindstage.ledger.signed import RESTORE, NotGenuine, check_json, sign_json

SEED, OTHER = b"s" * 32, b"o" * 32
REPORT: dict[str, Any] = {
    "format": RESTORE,
    "day": "2026-03-01",
    "what": "a backup",
    "entries_replayed": 2,
    "cleared": [{"store": "database:default", "method": "delete", "count": 3}],
    "clocks_restarted": 0,
    "rows_without_key": 0,
    "keys_of_ended": 0,
    "ledger": {"length": 2, "hash": "ab" * 32},
}


def key_of(seed: bytes) -> str:
    return signing.to_text(signing.public_key(seed))


def signed(content: dict[str, Any] = REPORT, seed: bytes = SEED) -> bytes:
    return json.dumps(sign_json(content, seed=seed), indent=1).encode()


def test_what_was_signed_is_genuine_however_it_is_laid_out() -> None:
    """With the key as base64, and as the well-known address gives it."""
    for key in (key_of(SEED), f" {key_of(SEED)}\n", json.dumps({"algorithm": "Ed25519", "key": key_of(SEED)})):
        assert check_json(signed(), key=key) == REPORT


@given(st.sampled_from(sorted(REPORT)), st.one_of(st.none(), st.integers(), st.text(max_size=9)))
def test_a_changed_field_is_not(name: str, value: object) -> None:
    said = json.loads(signed())
    if said[name] != value:
        with pytest.raises(NotGenuine):
            check_json(json.dumps(said | {name: value}).encode(), key=key_of(SEED))


def test_the_key_that_the_file_names_is_not_trusted() -> None:
    """Whoever signs with a key of their own and names it in the file is another instance."""
    with pytest.raises(NotGenuine):
        check_json(signed(seed=OTHER), key=key_of(SEED))


@given(st.binary(max_size=80))
def test_no_bytes_are_more_than_a_sentence(content: bytes) -> None:
    with pytest.raises(NotGenuine):
        check_json(content, key=key_of(SEED))
    with pytest.raises(NotGenuine):
        check_json(signed(), key=content.decode("latin-1"))


def test_the_command_tells_a_true_report_from_a_changed_and_a_foreign_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`mindstage receipt verify` on the report of a restore: 0, 1, 1, and 1 for signed words of another form."""
    file, key = tmp_path / "restore.json", tmp_path / "key.json"
    key.write_text(json.dumps({"algorithm": "Ed25519", "key": key_of(SEED)}))
    foreign = signed(seed=OTHER)
    unknown = signed({"format": "mindstage-manifest-1"})
    codes = []
    for content in (signed(), signed().replace(b"a backup", b"a secret"), foreign, unknown):
        file.write_bytes(content)
        with pytest.raises(SystemExit) as left:
            main(["receipt", "verify", str(file), "--key", str(key)])
        codes.append(left.value.code)
    said = capsys.readouterr()
    assert codes == [0, 1, 1, 1]
    assert "3 cleared" in said.out
    assert said.err.count("\n") == 3
