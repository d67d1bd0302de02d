"""The program under census: `mindstage serve` as a child, with everything that it can write to in one folder."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from mindstage.ops.census.nights import MARK
from mindstage.ops.census.on_server import Databases

START_SECONDS: Final = 180.0
COMMAND_SECONDS: Final = 3_600.0
STOP_SECONDS: Final = 10.0
_READY = re.compile(r"Mindstage is ready: http://[^:/]+:(\d+)/")
_OWNER = re.compile(r"http://[^/]+/owner/([^/\s]+)/")
_PASSED_ON = ("PATH", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")


class NotStarted(Exception):
    """The program under census did not come up. Its text says where its log is."""


class Refused(Exception):
    """A command of the program did not do what it was asked. Its text says which one."""


class Program:
    """An instance in `folder`: data, keys, home, temporary files and log are all inside it. `environ` is added.

    `provider`: the address of its narrator; empty for the one that is embedded. `databases`: those on a server.
    """

    def __init__(
        self,
        folder: Path,
        *,
        provider: str,
        provider_key: str,
        environ: Mapping[str, str],
        mail: str = "",
        databases: Databases | None = None,
    ) -> None:
        self.folder = folder
        self.log = folder / "terminal.log"
        self.data = folder / "data"
        self.port = 0
        self.owner_link = ""
        self._said = 0
        self._provider = provider
        self._mail = mail
        self._databases = databases
        self._environ = {"CENSUS_KEY": provider_key, **environ}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, once or again, and wait until pages can be asked for. Raises NotStarted."""
        for name in ("home", "tmp"):
            (self.folder / name).mkdir(parents=True, mode=0o700, exist_ok=True)
        (self.folder / "mindstage.toml").write_text(self._toml() if self._provider else "")
        (self.folder / MARK).touch()
        self._said = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mindstage", "serve", "--port", "0"],
                cwd=self.folder,
                env=self._whole_environ(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._await_ready(self._process)

    def run(self, *arguments: str, module: str = "mindstage") -> str:
        """Run a command of the program on this instance, to its end: what it said. Raises Refused."""
        with self.log.open("ab") as log:
            done = subprocess.run(
                [sys.executable, "-m", module, *arguments],
                cwd=self.folder,
                env=self._whole_environ(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=COMMAND_SECONDS,
                check=False,
            )
            log.write(done.stdout)
        if done.returncode:
            raise Refused(f"`{module} {arguments[0]}` ended with code {done.returncode}; {self.log} says why.")
        return done.stdout.decode("utf-8", "replace")

    def copied_to(self, folder: Path) -> Program:
        """The same program on a copy of all that is its own; only while this one is stopped.

        Raises OSError, ServerRefused.
        """
        shutil.copytree(self.folder, folder)
        key = self._environ["CENSUS_KEY"]
        return Program(
            folder,
            provider=self._provider,
            provider_key=key,
            environ=self._environ,
            mail=self._mail,
            databases=self._databases.copied() if self._databases else None,
        )

    def written_out(self) -> Path:
        """The folder, with the databases as files in it also where they lie on a server.

        Raises ServerRefused, OSError, sqlite3.Error.
        """
        if self._databases:
            self._databases.write_out(self.folder)
        return self.folder

    def elsewhere(self) -> Iterator[tuple[str, bytes]]:
        """What lies outside of the folder, on a server: name and content."""
        return self._databases.read_elsewhere() if self._databases else iter(())

    def stop(self) -> None:
        """SIGTERM, and wait for an orderly end; a kill when there is none."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _toml(self) -> str:
        return (
            f'mail = "{self._mail}"\n'
            f'[[provider]]\nid = "census"\nkind = "openai"\nbase_url = "{self._provider}"\n'
            'api_key_env = "CENSUS_KEY"\nmodels = ["census"]\nregion = "this machine"\n'
        )

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (found := _READY.search(said := self.log.read_text(errors="replace")[self._said :])):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(f"The program under census did not start; what it said is in {self.log}.")
            time.sleep(0.05)
        self.port = int(found[1])
        if link := _OWNER.search(said):
            self.owner_link = link[1]

    def _whole_environ(self) -> dict[str, str]:
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            **passed_on,
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "MINDSTAGE_CONFIG": str(self.folder / "mindstage.toml"),
            "MINDSTAGE_DATA": str(self.data),
            "MINDSTAGE_KEYS": str(self.folder / "keys"),
            **self._environ,
            **(self._databases.environ() if self._databases else {}),
        }
