"""The scripts of `bin/` in a fresh clone: they find a Python, change nothing of anybody's, and say what is missing.

Nothing is downloaded: uv is a stand-in here, and so is what it would install.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "dirname", "mkdir", "id", "cut", "cat", "cksum", "rm", "env", "uname")
PYTHON = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
OLD = "#!/bin/sh\nexit 1\n"
"""A Python of another age, or a shim of pyenv for a version that is not chosen: it starts, and refuses."""
UV = """#!/bin/sh
[ "$1" = --version ] && exit 0
printf '%s\\n' "$*" >>"$UV_LOG"
[ -z "${UV_BREAKS:-}" ] || exit 1
mkdir -p .venv/bin
printf '#!/bin/sh\\necho ran: "$@"\\necho as: "$MINDSTAGE_CALLED"\\n' >.venv/bin/python
/bin/chmod 755 .venv/bin/python
"""


class Clone:
    """The repository's scripts in a folder of their own, an empty home, and a PATH with a few tools alone."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home, self.path = folder / "a clone", folder / "home", folder / "tools"
        for made in (self.root, self.home, self.path):
            made.mkdir()
        shutil.copytree(ROOT / "bin", self.root / "bin")
        for name in ("pyproject.toml", "uv.lock"):
            shutil.copy(ROOT / name, self.root)
        for tool in TOOLS:
            (self.path / tool).symlink_to(str(shutil.which(tool)))
        self.log = folder / "uv.log"
        self.has(self.path / "uv", UV)

    def has(self, program: Path, text: str = PYTHON) -> Path:
        """Put a program somewhere."""
        program.parent.mkdir(parents=True, exist_ok=True)
        program.unlink(missing_ok=True)  # it may be a link to the machine's own, which stays as it is
        program.write_text(text)
        program.chmod(0o755)
        return program

    def run(self, script: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": str(self.path), "HOME": str(self.home), "UV_LOG": str(self.log)} | more
        command = [str(self.path / "sh"), script, *arguments]
        return subprocess.run(command, cwd=self.root, env=environ, capture_output=True, text=True, timeout=60)

    def found(self, **more: str) -> tuple[str, list[str]]:
        """What `bin/_env` settles for: Python, and the entries of PATH behind those that were there."""
        (self.root / "bin" / "ask").write_text('. "$(dirname -- "$0")/_env"\nprintf "%s\\n" "$UV_PYTHON" "$PATH"\n')
        done = self.run("bin/ask", **more)
        assert done.returncode == 0, done.stderr
        python, path = done.stdout.splitlines()
        before = more.get("PATH", str(self.path)).split(":")
        entries = path.split(":")
        assert entries[: len(before)] == before, "what was on PATH comes first, as it was"
        return python, entries[len(before) :]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def real(python: str) -> Path:
    """Which Python it is: scripts print the one behind a stand-in or a virtual environment."""
    return Path(python).resolve()


HERE = Path(getattr(sys, "_base_executable")).resolve()  # noqa: B009 - it is not in the stubs


@pytest.mark.parametrize("name", ["python3.13", "python3", "python"])
def test_a_python_on_the_path_is_taken(clone: Clone, name: str) -> None:
    """By whatever name, and its folder goes to the end of PATH, never before what is there."""
    clone.has(clone.path / name)
    python, added = clone.found()
    assert real(python) == HERE
    assert added[0] == str(Path(python).parent)


def test_a_python_under_pyenv_is_taken(clone: Clone) -> None:
    """In an account that has pyenv and no usable `python3`: the newest that works, not the newest."""
    clone.has(clone.path / "python3", OLD)
    clone.has(clone.home / ".pyenv/versions/3.14.0/bin/python3", OLD)
    works = clone.has(clone.home / ".pyenv/versions/3.13.2/bin/python3")
    clone.has(clone.home / ".pyenv/versions/3.12.9/bin/python3")
    python, added = clone.found()
    assert (python, added[0]) == (str(works), str(works.parent))


def test_pyenv_may_lie_elsewhere(clone: Clone, tmp_path: Path) -> None:
    """PYENV_ROOT is believed."""
    works = clone.has(tmp_path / "elsewhere/versions/3.13.2/bin/python3")
    assert clone.found(PYENV_ROOT=str(tmp_path / "elsewhere"))[0] == str(works)


@pytest.mark.parametrize("told", ["3.13", "python3.13", ">=3.12"])
def test_a_python_that_is_told_to_uv_is_no_place(clone: Clone, told: str) -> None:
    """UV_PYTHON may be a version: then nothing is added for it, least of all the folder one stands in."""
    clone.has(clone.path / "python3")
    python, added = clone.found(UV_PYTHON=told)
    assert python == told
    assert added == [str(clone.path)]  # uv's own folder


@pytest.mark.parametrize("home", ["", "/nowhere/at/all"])
def test_a_home_that_is_missing_stops_nobody(clone: Clone, home: str) -> None:
    """Its place is taken by a folder beside the repository's other scraps."""
    clone.has(clone.path / "python3")
    clone.found(HOME=home)
    assert (clone.root / ".run" / "home").is_dir()


def test_without_a_python_it_says_what_to_install(clone: Clone) -> None:
    """One sentence, exit code 2, and nothing installed; a Python that is too old is none."""
    clone.has(clone.path / "python3", OLD)
    done = clone.run("bin/serve")
    assert done.returncode == 2
    assert done.stderr.startswith("Mindstage needs CPython 3.12 or newer")
    assert "apt install python3" in done.stderr
    assert not clone.log.exists()


def test_serve_brings_what_the_lock_file_names_and_becomes_the_program(clone: Clone) -> None:
    """Exactly what is locked, without what only developers need, once; and every option reaches `mindstage serve`."""
    clone.has(clone.path / "python3")
    for _ in range(2):
        done = clone.run("bin/serve", "--port", "0", "--data", "my data")
        assert (done.returncode, done.stdout) == (
            0,
            "ran: -m mindstage serve --port 0 --data my data\nas: bin/mindstage\n",
        )
    assert clone.log.read_text() == "sync --locked --quiet --inexact --no-group dev\n"
    (clone.root / "uv.lock").write_text("another lock")
    clone.run("bin/serve")
    assert len(clone.log.read_text().splitlines()) == 2


@pytest.mark.parametrize("venv", ["works", "is not there"])
def test_uv_is_installed_where_it_is_missing(clone: Clone, venv: str) -> None:
    """Into the repository's own scraps: by venv and pip, or by pip alone on a machine without venv."""
    stored = (clone.path / "uv").rename(clone.root.parent / "uv")
    clone.has(clone.path / "cp", f'#!/bin/sh\nexec {shutil.which("cp")} "$@"\n')
    put = f'mkdir -p "$into/bin" && cp "{stored}" "$into/bin/uv"'
    pip = f'#!/bin/sh\n[ "$*" = "-m pip install --quiet uv" ] && into="$(dirname -- "$0")/.." && {put}\n'
    made = clone.has(clone.root.parent / "pip", pip)
    makes_venv = f'mkdir -p "$3/bin" && cp "{made}" "$3/bin/python"' if venv == "works" else "exit 1"
    clone.has(
        clone.path / "python3",
        f'#!/bin/sh\ncase "$*" in\n"-m venv "*) {makes_venv} ;;\n'
        f'"-m pip install --quiet --target "*" uv") into=$6 && {put} ;;\n'
        f'"-c "*_base_executable*) echo "{clone.path}/python3" ;;\n*) exec "{sys.executable}" "$@" ;;\nesac\n',
    )
    done = clone.run("bin/serve")
    assert done.returncode == 0, done.stderr
    assert "Installing uv" in done.stderr
    assert (clone.root / ".run" / "uv" / "bin" / "uv").is_file()
    assert names(clone.home) == set()
    assert "Installing uv" not in clone.run("bin/serve").stderr


def test_without_chromium_the_skip_is_loud(clone: Clone) -> None:
    """Whoever may install nothing is told how, in letters that nobody overlooks; the other tests run."""
    clone.has(clone.path / "python3")
    clone.has(clone.path / "id", "#!/bin/sh\necho 1000\n")
    done = clone.run("bin/test", "tests/kit", UV_PYTHON=str(clone.path / "python3"))  # beside nothing else
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "ran: -m pytest tests/kit")
    assert "BROWSER TESTS ARE SKIPPED" in done.stderr
    assert "apt-get install chromium" in done.stderr


def test_chromium_is_installed_where_that_may_be(clone: Clone) -> None:
    """Root on a Debian gets it by apt, once; then nothing is said."""
    clone.has(clone.path / "python3")
    clone.has(clone.path / "id", "#!/bin/sh\necho 0\n")
    clone.has(clone.path / "chmod", f'#!/bin/sh\nexec {shutil.which("chmod")} "$@"\n')
    asked = clone.root.parent / "apt.log"
    made = f'echo "#!/bin/sh" >{clone.path}/chromium; chmod 755 {clone.path}/chromium'
    clone.has(clone.path / "apt-get", f'#!/bin/sh\necho "$1" >>{asked}\n[ "$1" = update ] || {{ {made}; }}\n')
    for _ in range(2):
        done = clone.run("bin/test", "tests/kit", UV_PYTHON=str(clone.path / "python3"))
        assert done.returncode == 0
        assert "SKIPPED" not in done.stderr
    assert asked.read_text().split() == ["update", "install"]


def test_packages_that_do_not_come_are_said(clone: Clone) -> None:
    """The next start tries again."""
    clone.has(clone.path / "python3")
    done = clone.run("bin/serve", UV_BREAKS="1")
    assert done.returncode == 2
    assert "could not be installed" in done.stderr
    assert clone.run("bin/serve").returncode == 0


def test_a_clone_stays_as_it_is(clone: Clone) -> None:
    """Scripts write to .run and .venv alone: no `.python-version` for somebody's pyenv, nothing in the home."""
    clone.has(clone.path / "python3")
    before = names(clone.root)
    assert clone.run("bin/setup").returncode == 0
    assert names(clone.root) == before | {".run", ".venv"}
    assert names(clone.home) == set()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
