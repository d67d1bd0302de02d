"""What the repository promises about itself: small files, no machine of anybody's, no command that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mindstage.__main__ import COMMANDS

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "docs", "bin", ".ci")
TEXT = {".py", ".md", ".toml", ".html", ".css", ".js", ""}


def texts() -> Iterator[tuple[Path, str]]:
    """Every text of the repository, but the lock file and the licence."""
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in TEXT and "__pycache__" not in path.parts:
                yield path, path.read_text()
    for path in ROOT.glob("*.*"):
        if path.is_file() and path.suffix in TEXT:
            yield path, path.read_text()


def test_program_files_end_before_400_lines() -> None:
    """A file of the program that grows past 400 lines wants to be two."""
    long = [path.name for path, text in texts() if path.is_relative_to(ROOT / "src") and text.count("\n") >= 400]
    assert long == []


def test_no_home_of_anybody_stands_in_it() -> None:
    """No absolute path of a developer's machine: the repository works wherever it is cloned."""
    homes = re.compile("/" + r"(?:home|Users|root)/\w|" + re.escape(f"{ROOT}/"))
    found = [str(path.relative_to(ROOT)) for path, text in texts() if homes.search(text)]
    assert found == []


def test_no_file_pins_pyenv() -> None:
    """A `.python-version` would break everybody whose pyenv has another Python."""
    assert not list(ROOT.glob(".python-version"))


def test_only_the_lock_file_names_a_package_index() -> None:
    """Packages come from wherever their user's own settings point."""
    index = re.compile("pypi" + r"\.org|files\.python" + "hosted")
    assert [str(path.relative_to(ROOT)) for path, text in texts() if index.search(text)] == []


def test_commands_of_the_documents_exist() -> None:
    """Each `mindstage NAME` and `bin/NAME` in README, CONTRIBUTING and docs can be run."""
    for path, text in texts():
        if path.suffix != ".md":
            continue
        for name in re.findall(r"(?:^|`|bin/)mindstage ([a-z]+)", text, re.MULTILINE):
            assert name in COMMANDS, f"{path.name}: mindstage {name}"
        for name in re.findall(r"(?<![/\w])bin/([a-z]+)", text):
            assert (ROOT / "bin" / name).is_file(), f"{path.name}: bin/{name}"


def test_paths_in_the_documents_exist() -> None:
    """Each file of src and tests that a document names is there."""
    rooms = ROOT / "src" / "mindstage"
    for path, text in texts():
        if path.suffix != ".md":
            continue
        for name in re.findall(r"`((?:\w+/)+\w+\.(?:py|js|css|toml|html))", text):
            assert any((base / name).exists() for base in (ROOT, rooms, ROOT / "src")), f"{path.name}: {name}"


def test_tests_that_the_documents_name_exist() -> None:
    """A promise that names its test (`tests/…/file.py::test_name`) has that test."""
    named = 0
    for path, text in texts():
        if path.suffix != ".md":
            continue
        for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
            named += 1
            assert f"def {name}(" in (ROOT / file).read_text(), f"{path.name}: {file}::{name}"
    assert named > 30
