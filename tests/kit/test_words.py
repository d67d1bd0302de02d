"""Numbers in sentences."""

from __future__ import annotations

from mindstage.kit.words import counted


def test_one_is_one_and_nothing_is_many() -> None:
    assert [counted(count, "row") for count in (0, 1, 2, 2000)] == ["0 rows", "1 row", "2 rows", "2,000 rows"]
    assert [counted(count, "entry", "entries") for count in (1, 3)] == ["1 entry", "3 entries"]
