"""A census on a PostgreSQL server finds nothing, and would find everything if nothing were sealed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mindstage.ops.census.census import take_census
from mindstage.ops.census.report import CLEAN, FOUND
from mindstage.ops.census.words import Fate
from postgres_server import find_server
from system.program import CHEAP, cheap_with

SERVER = find_server() or ""
BLIND = Path(__file__).parent / "blind"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not SERVER, reason="NO POSTGRESQL SERVER ANSWERS: a census on one is not tested"),
]


def test_the_control_finds_every_kept_word(tmp_path: Path) -> None:
    """With a cipher that does nothing each word that is kept is found in a table of the server, and no other."""
    report = take_census(tmp_path, environ=cheap_with(BLIND), to_the_end=False, server=SERVER)
    assert (report.void, report.exit_code) == ([], FOUND)
    for moment in ("running", "stopped"):
        words = {one.word for one in report.found if one.place.startswith(f"{moment}: data/")}
        assert {one.slot for one in report.planted if one.fate is Fate.SEALED and one.word not in words} == set()
    assert {one.slot for one in report.planted if one.fate is Fate.NEVER} & report.found_slots == set()


def test_nothing_is_found(tmp_path: Path) -> None:
    """While people live, after half of them were erased, in a restored backup, and forty days later.

    Its backups are opened and tried as well, and it says what of the server it looked at.
    """
    report = take_census(tmp_path, environ=CHEAP, server=SERVER)
    assert (report.void, report.found, report.problems) == ([], set(), [])
    assert (report.pictures, report.strange, report.exit_code) == (set(), set(), CLEAN)
    assert set(report.files) == {"running", "erased", "restored", "stopped"}
    assert (report.left, report.receipts) == (1, 1)
    alive, restored, end = report.attempts.values()
    assert alive["opened"] > 150
    assert alive["files_opened"] == alive["files"] >= 3
    for after in (restored, end):
        assert 0 < after["opened"] < alive["opened"] * 0.6
    assert report.server in report.lines()
    if "files as they lie" in report.server:
        assert [name for name in report.elsewhere["stopped"] if name.startswith("server: base/")]
        assert [name for name in report.elsewhere["stopped"] if name.startswith("server: pg_wal/")]
