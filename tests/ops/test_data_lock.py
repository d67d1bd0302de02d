"""The lock of the data folder: one server, or one command alone; whoever is refused hears what to wait for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mindstage.ops.mistakes import StartMistake
from mindstage.ops.starting import A_COMMAND, take_lock


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        ("Mindstage", ["Mindstage is already running on", "use that one"]),
        (A_COMMAND, ["A command of Mindstage is at work on", "such as an import", "start this when it has ended"]),
    ],
)
def test_whoever_is_refused_hears_who_holds_the_folder(tmp_path: Path, holder: str, words: list[str]) -> None:
    """A server that starts while a large archive is brought in is not told that a server runs."""
    held = take_lock(tmp_path, what=holder)
    with pytest.raises(StartMistake) as refused:
        take_lock(tmp_path)
    assert all(word in str(refused.value) for word in words)
    os.close(held)
    os.close(take_lock(tmp_path))


def test_a_shorter_name_leaves_nothing_of_the_longer(tmp_path: Path) -> None:
    """What a command wrote there is not what the server after it is called."""
    os.close(take_lock(tmp_path, what=A_COMMAND))
    held = take_lock(tmp_path)
    with pytest.raises(StartMistake, match=r"Mindstage is already running on .*; stop it, and do this again"):
        take_lock(tmp_path, what=A_COMMAND)
    os.close(held)
