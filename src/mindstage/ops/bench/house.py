"""An instance for measuring: its own temporary folders, fake providers, and the program as a process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

STORIES_AT_ONCE = 200
READY_WITHIN = 30.0


class BenchFailed(Exception):
    """Nothing could be measured. Its text is one sentence."""


CONTEXT = 4_096
"""Tokens: 16,000 characters of a story are opened for a turn."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a fake provider answers: seconds to its first word, words a second, words in all."""

    name: str
    ttft: float
    tps: float
    words: int


QUICK = Pace("quick", 0.1, 100, 40)
PACED = Pace("paced", 0.2, 10, 80)


@dataclass(frozen=True, slots=True)
class Provider:
    """A running fake provider."""

    pace: Pace
    base_url: str
    pid: int


@dataclass(frozen=True, slots=True)
class House:
    """Folders for an instance that ends with the measurement."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MINDSTAGE_")}
        return kept | {
            "MINDSTAGE_DATA": str(self.folder / "data"),
            "MINDSTAGE_KEYS": str(self.folder / "keys"),
            "MINDSTAGE_CONFIG": str(self.folder / "mindstage.toml"),
            "MINDSTAGE_PORT": "0",
            "MINDSTAGE_REPLIES_AT_ONCE": "100000",  # one person plays all streams of a measurement
        }

    def configure(self, providers: Sequence[tuple[str, str]]) -> None:
        """Write mindstage.toml with (id, base_url) of OpenAI-compatible providers."""
        tables = [
            f'[[provider]]\nid = "{name}"\nkind = "openai"\nbase_url = "{url}"\nmodels = ["fake"]\nregion = "here"\n'
            f"context = {CONTEXT}\n"
            for name, url in providers
        ]
        (self.folder / "mindstage.toml").write_text("\n".join(tables))


@contextlib.contextmanager
def temporary_house() -> Iterator[House]:
    """A house, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="mindstage-bench-") as folder:
        yield House(Path(folder))


@contextlib.contextmanager
def fake_provider(pace: Pace) -> Iterator[Provider]:
    """A fake provider in a process of its own, so that its work is not counted as the program's."""
    options = ["--ttft", str(pace.ttft), "--tps", str(pace.tps), "--tokens", str(pace.words)]
    module = "mindstage.ops.bench.fake_provider"
    child = subprocess.Popen([sys.executable, "-m", module, *options], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout
        yield Provider(pace, child.stdout.readline().strip(), child.pid)
    finally:
        child.kill()
        child.wait()


@dataclass(frozen=True, slots=True)
class Program:
    """The running program."""

    address: str
    pid: int


@contextlib.contextmanager
def program(house: House) -> Iterator[Program]:
    """`mindstage serve` on the house's folders. Raises BenchFailed."""
    command = [sys.executable, "-m", "mindstage", "serve", "--port", "0"]
    child = subprocess.Popen(command, env=house.environment, stdout=subprocess.PIPE, text=True)
    try:
        yield Program(_wait_until_ready(child), child.pid)
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_until_ready(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    for line in child.stdout:
        if line.startswith("Mindstage is ready: "):
            address = (
                line.split()[3].rstrip("/").replace("//localhost:", "//127.0.0.1:")
            )  # looking a name up takes time
            _ask_health(address)
            return address
    raise BenchFailed("Mindstage did not start, so nothing was measured.")


def _ask_health(address: str) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(f"{address}/healthz", timeout=2):  # noqa: S310
            return
        time.sleep(0.05)
    raise BenchFailed("Mindstage started but never became ready, so nothing was measured.")
