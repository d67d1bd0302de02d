"""The check that bin/check runs, over a program whose data map was changed: a developer cannot pass it unawares."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_PASSED_ON = ("MINDSTAGE_", "DJANGO_", "PYTHONPYCACHEPREFIX")
pytestmark = pytest.mark.system


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package, and empty folders for its data and keys."""
    for folder in ("data/database", "data/keystore", "keys"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copytree(ROOT / "src/mindstage", tmp_path / "mindstage")  # with what was compiled: all else takes seconds
    return tmp_path


def run_check(copy: Path) -> tuple[int, str]:
    """(exit code, what it said) of the line of bin/check, over the copy."""
    assert "manage check\n" in (ROOT / "bin/check").read_text()
    done = subprocess.run(
        [sys.executable, "-m", "mindstage", "manage", "check"],
        cwd=copy,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)},
            "MINDSTAGE_DATA": str(copy / "data"),
            "MINDSTAGE_KEYS": str(copy / "keys"),
            "PYTHONPATH": str(copy),
        },
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_without_an_instance_it_says_so(tmp_path: Path) -> None:
    """One sentence and what to do, no trace of the program's insides; and no folder is made."""
    places = {"MINDSTAGE_DATA": str(tmp_path / "data"), "MINDSTAGE_KEYS": str(tmp_path / "keys")}
    environ = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)} | places
    done = subprocess.run(
        [sys.executable, "-m", "mindstage", "manage", "migrate"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("There is no database here yet: start `mindstage serve` once")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_a_changed_entry_fails_until_it_is_announced(copy: Path) -> None:
    """The code is not 0; the message names the entry, the file and the lines to write there, and they are enough."""
    assert run_check(copy)[0] == 0
    folder = copy / "mindstage/datamap"
    replace_in(folder / "datamap.toml", "A hash of the cookie, a coarse device class", "A hash, a class")
    code, said = run_check(copy)
    assert code != 0
    assert "entry:session was changed since version 1 of the policy (note), and nobody is told" in said
    assert 'Add to src/mindstage/datamap/coming.toml: [[change]] of = ["entry:session"] says = ' in said
    with (folder / "coming.toml").open("a") as coming:
        coming.write('\n[[change]]\nof = ["entry:session"]\nsays = "Browsers are described in fewer words."\n')
    assert run_check(copy)[0] == 0


def test_a_field_that_is_in_no_entry_fails(copy: Path) -> None:
    """The message says which field, and where it has to be written."""
    replace_in(copy / "mindstage/datamap/datamap.toml", '"stories.Draft.mode", ', "")
    code, said = run_check(copy)
    assert code != 0
    assert "stories.Draft.mode is not in the data map" in said
    assert "Add it to `fields` or `metadata` of an entry in datamap.toml" in said
