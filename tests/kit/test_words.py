"""Numbers in sentences, and commands as they are typed."""

from __future__ import annotations

import pytest

from mindstage.kit.words import as_typed, counted


def test_one_is_one_and_nothing_is_many() -> None:
    assert [counted(count, "row") for count in (0, 1, 2, 2000)] == ["0 rows", "1 row", "2 rows", "2,000 rows"]
    assert [counted(count, "entry", "entries") for count in (1, 3)] == ["1 entry", "3 entries"]


def test_a_command_is_named_as_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a clone no `mindstage` is on PATH. Files, addresses and the program's name stay as they are."""
    said = "Run `mindstage keys sheet` or\n  mindstage doctor. Mindstage reads mindstage.toml in /etc/mindstage there."
    assert as_typed(said) == said
    monkeypatch.setenv("MINDSTAGE_CALLED", "bin/mindstage")
    assert as_typed(said) == said.replace("`mindstage", "`bin/mindstage").replace("  mindstage", "  bin/mindstage")
