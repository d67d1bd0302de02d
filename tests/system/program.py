"""The whole program as a process of its own: started, asked, stopped, killed, and started again on the same data.

def test_something(running_program):
    program = running_program()          # ready when this returns
    program.get("/healthz")
    program.kill()
    program.start()                      # the same folders, a new port
"""

from __future__ import annotations

import atexit
import functools
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from system.nursery import Forked, can_fork

READY_SECONDS = 40.0
"""Generous: two test processes on two slow cores. What a start really takes is measured, not tested."""
STOP_SECONDS = 40.0
"""Generous as well: the program itself cuts off what is left after 4.6 s (ops/serve.py)."""
_READY = re.compile(r"Mindstage is (?:ready|closed): http://[^:/]+:(\d+)/")
_ADDRESS = re.compile(r"Mindstage is ready: (http://\S+)/ ")
_OWNER = re.compile(r"http://[^/]+(/owner/\S+)")
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV")
_TESTS = Path(__file__).parents[1]
CHEAP = {"DJANGO_SETTINGS_MODULE": "cheap_settings", "PYTHONPATH": str(_TESTS)}
"""The environment of a program in which a sign-up costs next to nothing: for tests that are about something else."""
_MAKE_TABLES = """
import django
django.setup()
from django.conf import settings
from mindstage.ops.schema import bring_up_to_date, lay_out_file
lay_out_file(settings.MINDSTAGE.database_file)
bring_up_to_date()
"""


@dataclass
class Program:
    """One instance in `folder` (data, keys, mindstage.toml). Its output is in `said()`."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    toml: str = ""
    before: tuple[str, ...] = ()
    """A command that runs the program: what it takes from it, or does around it."""
    from_nothing: bool = False
    """Whether its first start makes the tables too: they cost half a second each time, and are always the same."""
    forked: bool = False
    """Whether it is forked off a process that has imported everything: for tests that are not about starting."""
    process: subprocess.Popen[str] | Forked | None = None
    port: int = 0
    owner_path: str | None = None
    _lines: list[str] = field(default_factory=list)
    _ready: threading.Event = field(default_factory=threading.Event)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def printed_address(self) -> str:
        """Where people are sent: what the program said last."""
        return _ADDRESS.findall(self.said())[-1]

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self, *arguments: str) -> Program:
        """Start `mindstage serve` and wait until it says that it is ready."""
        if not (self.from_nothing or self.data.exists() or {"--data", "--keys"} & {*arguments}):
            self._lay_out_tables()
        self.port, self._ready = 0, threading.Event()  # new ones: the listener of a killed process may still end
        self.process = self.command("serve", "--port", "0", *arguments)
        threading.Thread(target=self._listen, args=(self.process, self._ready), daemon=True).start()
        self._ready.wait(READY_SECONDS)
        if self.port == 0 or self.process.poll() is not None:
            self.kill()
            raise AssertionError(f"the program did not start:\n{self.said()}")
        return self

    def command(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str] | Forked:
        """Start any subcommand on this instance, stdout and stderr in one pipe."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "mindstage.toml").write_text(self.toml)
        environ = self._environ()
        if self.forked and not self.before and can_fork(environ):
            return Forked(arguments, cwd=self.folder, env=environ, stdin=stdin)
        return subprocess.Popen(
            [*self.before, sys.executable, "-m", "mindstage", *arguments],
            cwd=self.folder,
            env=environ,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run any subcommand on this instance to its end. `typed` comes to it through a pipe."""
        process = self.command(*arguments, stdin=subprocess.PIPE)
        try:
            said, _ = process.communicate(typed, timeout=READY_SECONDS)
        except subprocess.TimeoutExpired as late:
            said = _text(late.output)
            raise AssertionError(f"`mindstage {' '.join(arguments)}` did not end; it said:\n{said}") from None
        finally:
            _end(process)
        return subprocess.CompletedProcess(arguments, process.returncode, said)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """One GET without cookies: status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL: the program has no say in it. Its children are gone when this returns."""
        if self.process is None:
            return
        children = self.children() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        wait_until(lambda: not any(is_alive(child) for child in children), seconds=READY_SECONDS)

    def children(self) -> list[int]:
        """The process ids of the program's children."""
        return children_of(self.pid)

    def said(self) -> str:
        """Everything that the program printed so far, over all starts."""
        return "".join(self._lines)

    def _lay_out_tables(self) -> None:
        """As a first start leaves them that ended before it made the keys."""
        if not (self.before or "MINDSTAGE_DATABASE_URL" in self.environ):
            shutil.copytree(empty_tables(), self.data)

    def _listen(self, process: subprocess.Popen[str] | Forked, ready: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.append(line)
            if found := _OWNER.search(line):
                self.owner_path = found[1]
            if found := _READY.search(line):
                self.port = int(found[1])
                ready.set()
        process.stdout.close()
        ready.set()

    def _environ(self) -> dict[str, str]:
        environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environ |= {
            "MINDSTAGE_CONFIG": str(self.folder / "mindstage.toml"),
            "MINDSTAGE_DATA": str(self.data),
            "MINDSTAGE_KEYS": str(self.keys),
        }
        return environ | self.environ


Start = Callable[..., Program]


@pytest.fixture
def running_program(tmp_path: Path) -> Iterator[Start]:
    """Start the program: `running_program(toml=..., environ=..., name=...)`. What still runs at the end is killed.

    It is forked off the nursery, unless it is told to start `afresh` or `from_nothing`.
    """
    with ExitStack() as started:

        def start(
            *,
            toml: str = "",
            environ: Mapping[str, str] | None = None,
            name: str = "instance",
            from_nothing: bool = False,
            afresh: bool = False,
        ) -> Program:
            forked = not (from_nothing or afresh)
            program = Program(tmp_path / name, dict(environ or {}), toml, from_nothing=from_nothing, forked=forked)
            started.callback(program.kill)
            return program.start()

        yield start


@pytest.fixture
def instance(tmp_path: Path) -> Program:
    """An instance that was not started yet."""
    return Program(tmp_path / "instance")


def cheap_with(folder: Path) -> dict[str, str]:
    """CHEAP, for a program that also finds what lies in a folder, such as a sitecustomize.py."""
    return CHEAP | {"PYTHONPATH": f"{folder}{os.pathsep}{_TESTS}"}


@functools.cache
def empty_tables() -> Path:
    """A data folder that holds both databases with all tables and nothing else. Made once in each process of a run."""
    folder = Path(tempfile.mkdtemp(prefix="mindstage-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    program = Program(folder)
    for name in ("database", "keystore"):
        (program.data / name).mkdir(parents=True, mode=0o700)
    (folder / "mindstage.toml").touch()
    environ = {**program._environ(), "DJANGO_SETTINGS_MODULE": "mindstage.config.settings"}
    command = [sys.executable, "-c", _MAKE_TABLES]
    subprocess.run(command, env=environ, cwd=folder, check=True, timeout=READY_SECONDS, umask=0o077)
    return program.data


def _end(process: subprocess.Popen[str] | Forked) -> None:
    """Kill it if it still runs, and let go of its pipes, whoever else may hold them."""
    process.kill()
    process.wait(STOP_SECONDS)
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with suppress(OSError):  # what was to be typed has nobody to read it
                pipe.close()


def _text(output: bytes | str | None) -> str:
    """What a command has said when it was given up: bytes, whatever it was opened as."""
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def children_of(pid: int) -> list[int]:
    """Process ids of the children of a process, from /proc."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == pid:
                found.append(int(entry.name))
    return found


def is_alive(pid: int) -> bool:
    """Is there a process with this id that is more than a zombie?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], *, seconds: float) -> None:
    """Poll until it holds; an AssertionError when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def provider_toml(base_url: str, *, model: str = "fake", provider: str = "fake") -> str:
    """A mindstage.toml whose one provider is a fake on loopback; its key is in FAKE_KEY."""
    return (
        f'[[provider]]\nid = "{provider}"\nkind = "openai"\nbase_url = "{base_url}"\n'
        f'api_key_env = "FAKE_KEY"\nmodels = ["{model}"]\nregion = "this machine"\n'
    )
