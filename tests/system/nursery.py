"""A process that has imported what the program does, and forks one off for each start that a test asks for.

An interpreter with everything imported takes 0.4 of the 0.5 CPU seconds of a start, and some tests start two hundred
times. Which settings an instance has is known only in the fork: nothing that asks for them is imported before. Tests of
the start itself, of the program's memory and of its processes start an interpreter, as people do.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from select import select
from typing import IO, Any

AHEAD = [
    "django.contrib.auth.hashers", "django.contrib.auth.password_validation", "django.core.mail",
    "django.core.management", "django.db.backends.sqlite3.base", "django.db.migrations.executor", "django.forms",
    "django.template.loader", "django.template.loader_tags", "django.views.csrf", "argon2.low_level", "a2wsgi",
    "aiohappyeyeballs", "httptools", "nh3", "pyrage", "segno", "uvloop", "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl", "mindstage.config.bodies", "mindstage.config.closed",
    "mindstage.config.configuration", "mindstage.config.databases", "mindstage.config.logs", "mindstage.config.mail",
    "mindstage.datamap.checks", "mindstage.datamap.memory", "mindstage.gateway.embedded.narrator",
    "mindstage.gateway.tokens", "mindstage.ledger.receipts", "mindstage.library.card_files",
    "mindstage.library.correctable", "mindstage.library.hidden_copies", "mindstage.ops.commands.serve",
    "mindstage.ops.schema", "mindstage.ops.serve", "mindstage.ops.starting", "mindstage.prompts.assemble",
    "mindstage.prompts.dialects", "mindstage.prompts.macros", "mindstage.rights.packing", "mindstage.rights.pipes",
    "mindstage.stories.database_thread", "mindstage.stories.refusals", "mindstage.stories.shapes",
    "mindstage.streaming.sse", "mindstage.ui.context", "mindstage.ui.prose", "mindstage.ui.views",
    "mindstage.vault.escrow", "mindstage.vault.sealed_files",
]  # fmt: skip
"""What a start imports, but for the modules that ask for settings or for models."""
_TESTS = str(Path(__file__).parents[1])
_MOST_BYTES = 150_000


def can_fork(environ: Mapping[str, str]) -> bool:
    """Whether a fork finds the same modules as an interpreter of this environment would."""
    return environ.get("PYTHONPATH", _TESTS) == _TESTS


class Forked:
    """A program that was forked off; to its starter it is as a `subprocess.Popen` with a pipe of text."""

    def __init__(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: int) -> None:
        asked = json.dumps({"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}).encode()
        heard, said = os.pipe()
        self._status, told = os.pipe()
        typed, typing = os.pipe() if stdin == subprocess.PIPE else (os.open(os.devnull, os.O_RDONLY), None)
        socket.send_fds(_nursery(), [asked], [typed, said, told])
        for descriptor in (typed, said, told):
            os.close(descriptor)
        self.stdin = None if typing is None else os.fdopen(typing, "w")
        self.stdout: IO[str] = os.fdopen(heard)
        self.returncode: int | None = None
        self.pid = int(self._next_told())

    def poll(self) -> int | None:
        if self.returncode is None and select([self._status], [], [], 0)[0]:
            self.returncode = int(self._next_told())
            os.close(self._status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not select([self._status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended, and its keeper is about to tell
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, typed: str, timeout: float) -> tuple[str, None]:
        """Type it all, and read to the end; an AssertionError carries what was said when the time is over."""
        if self.stdin:
            with suppress(BrokenPipeError):
                self.stdin.write(typed)
                self.stdin.flush()
            with suppress(BrokenPipeError):
                self.stdin.close()
        said, deadline = b"", time.monotonic() + timeout
        while select([self.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
            if not (more := os.read(self.stdout.fileno(), 65_536)):
                self.wait(max(0.0, deadline - time.monotonic()))
                return said.decode(), None
            said += more
        raise subprocess.TimeoutExpired(str(self.pid), timeout, output=said)

    def _next_told(self) -> str:
        """The keeper tells two numbers, each in a line: the id of the process, and how it ended."""
        line = b""
        while not line.endswith(b"\n"):
            read = os.read(self._status, 1)
            assert read, "the nursery has ended"
            line += read
        return line.decode()


@functools.cache
def _nursery() -> socket.socket:
    """The way to the nursery of this process of a run. It ends with us: then nobody holds the other end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MINDSTAGE_", "DJANGO_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "system.nursery"], stdin=theirs, env=environ | {"PYTHONPATH": _TESTS}
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.terminate()  # a fork that outlives its test may hold the other end
        process.wait()

    atexit.register(end)
    return ours


def main() -> None:
    """Fork one off for each request, until the tests have ended."""
    for name in AHEAD:
        import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a keeper
    gate = socket.socket(fileno=os.dup(0))
    while (received := socket.recv_fds(gate, _MOST_BYTES, 3))[0]:
        if os.fork() == 0:
            gate.close()
            return _keep(json.loads(received[0]), received[1])
        for descriptor in received[1]:
            os.close(descriptor)
    return None


def _keep(asked: dict[str, Any], descriptors: list[int]) -> None:
    """Stay beside the program as its parent, and tell how it ends: who asked for it is not its parent."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    typed, said, told = descriptors
    os.dup2(typed, 0)
    child = os.fork()
    if child == 0:
        return _become(asked, said)
    os.closerange(0, told)
    os.write(told, b"%d\n" % child)
    os.write(told, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    os._exit(0)


def _become(asked: dict[str, Any], said: int) -> None:
    """From here on this process is the program: its streams, its environment, its folder, its arguments."""
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.closerange(3, 256)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.path[0] = asked["cwd"]
    if "PYTHONPATH" not in asked["env"]:
        sys.path.remove(_TESTS)
    sys.argv = ["mindstage", *asked["arguments"]]
    runpy.run_module("mindstage", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
