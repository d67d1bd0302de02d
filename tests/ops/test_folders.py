"""Folders that cannot be used are found before anything is made."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from children import fork_and_wait
from mindstage.config.configuration import Configuration
from mindstage.ops.mistakes import StartMistake
from mindstage.ops.starting import make_folders, refuse_unwritable

NOBODY = 65534


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter: those of pytest are for their owner alone."""
    folder = Path(tempfile.mkdtemp(prefix="mindstage-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(deed: Callable[[], None]) -> str:
    """What StartMistake says when an account without rights does it. As root in a fork; else as who runs the tests."""
    if os.geteuid() != 0:
        with pytest.raises(StartMistake) as refused:
            deed()
        return str(refused.value)
    read, write = os.pipe()

    def refused_to_nobody() -> int:
        os.setuid(NOBODY)
        try:
            deed()
        except StartMistake as mistake:
            os.write(write, str(mistake).encode())
        return 0

    fork_and_wait(refused_to_nobody)
    os.close(write)
    with os.fdopen(read) as said:
        return said.read()


def test_a_folder_that_may_not_be_written_to(open_folder: Path) -> None:
    """A data folder below one that belongs to somebody else is refused."""
    instance = Configuration(open_folder / "data", open_folder / "keys")
    open_folder.chmod(0o555)
    assert "cannot be written to" in as_nobody(lambda: refuse_unwritable(instance))


def test_a_folder_that_may_not_be_looked_into(open_folder: Path) -> None:
    """Also one that this account cannot even see."""
    (open_folder / "closed").mkdir(mode=0o000)
    instance = Configuration(open_folder / "closed" / "data", open_folder / "keys")
    assert "cannot be written to" in as_nobody(lambda: refuse_unwritable(instance))


def test_folders_are_made_private(open_folder: Path) -> None:
    """Folders that were open before are closed."""
    instance = Configuration(open_folder / "data", open_folder / "keys")
    instance.data_dir.mkdir(mode=0o755)
    refuse_unwritable(instance)
    make_folders(instance)
    assert {path.stat().st_mode & 0o777 for path in open_folder.rglob("*")} == {0o700}
