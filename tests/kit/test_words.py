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


def test_a_command_names_the_instance_that_it_is_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """As its options named it: the default folders may hold another one. Pages for anybody tell no folder."""
    monkeypatch.setenv("MINDSTAGE_PLACES", "--data 'my stories'")
    assert as_typed("`mindstage keys sheet`") == "`mindstage keys --data 'my stories' sheet`"
    assert as_typed("`mindstage night`.", on_a_page=True) == "`mindstage night`."
