"""The parent's side of the child process: start it, know whether it lives, end it."""

import asyncio
import contextlib
import json
import os
import secrets
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from mindstage.gateway.embedded.gguf import is_gguf
from mindstage.gateway.problems import ProviderProblem

WAKE_SECONDS: Final = 180.0
LEAVE_SECONDS: Final = 3.0
_CHILD: Final = "mindstage.gateway.embedded.child"
# The child inherits what finds Python and its libraries, and none of the instance's own settings or keys.
_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR")


@dataclass(slots=True)
class ModelProcess:
    """A child that has loaded its model and listens on loopback."""

    address: str = field(repr=False)
    key: str = field(repr=False)
    process: asyncio.subprocess.Process = field(repr=False)

    @property
    def lives(self) -> bool:
        return self.process.returncode is None

    def headers(self) -> dict[str, str]:
        """For requests of ours. llama.cpp hangs up kept connections without a word, so none is kept."""
        return {"Authorization": f"Bearer {self.key}", "Connection": "close"}

    async def end(self, *, within: float = LEAVE_SECONDS) -> None:
        """Close its pipe, which ends it; kill it when it does not go."""
        if self.process.stdin:
            self.process.stdin.close()
        await _wait(self.process, within)
        await _kill(self.process, within)


async def start_process(path: Path | None, *, context: int, threads: int) -> ModelProcess:
    """Load a GGUF file in a child. Raises ProviderProblem: not_installed or loading_failed."""
    check_file(path)
    key = secrets.token_urlsafe(32)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _INHERITED if name in os.environ},
    )
    try:
        said = await _ask(process, {"path": str(path), "key": key, "context": context, "threads": threads})
    except BaseException:
        await _kill(process, LEAVE_SECONDS)
        raise
    return ModelProcess(said["address"], key, process)


def check_file(path: Path | None) -> None:
    """Raise the ProviderProblem that forbids even to try."""
    if path is None or not path.is_file() or find_spec("xllamacpp") is None:
        raise ProviderProblem("not_installed")
    if not is_gguf(path):
        raise ProviderProblem("loading_failed")


async def _ask(process: asyncio.subprocess.Process, asked: dict[str, Any]) -> dict[str, str]:
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        await process.stdin.drain()
        async with asyncio.timeout(WAKE_SECONDS):
            said: dict[str, str] = json.loads(await process.stdout.readline())
    except (OSError, ValueError, TimeoutError):
        raise ProviderProblem("loading_failed") from None
    if "address" not in said:
        raise ProviderProblem("loading_failed")
    return said


async def _kill(process: asyncio.subprocess.Process, within: float) -> None:
    # One that has gone already is not signalled: its number may be another's by now.
    if process.returncode is None:
        process.kill()
        await _wait(process, within)


async def _wait(process: asyncio.subprocess.Process, within: float) -> None:
    """Wait for its end, but no longer than this.

    Up to CPython 3.13.0 asyncio waits for its pipes as well, which a child of its own may hold open for ever; and a
    killed process that the system does not let go is nobody's to wait for.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            await process.wait()
