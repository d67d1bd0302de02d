"""A disk that a test can hold up, or fill."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable


class Disk:
    """Takes what is forced to it, and notes when, and which file. `full`: it refuses."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.files: set[int] = set()
        self.full = False
        self.asked = threading.Event()
        self._free = threading.Event()
        self._free.set()

    def hold(self) -> None:
        """From now on it takes its time, until `release`. `asked` is set when something waits for it."""
        self.asked.clear()
        self._free.clear()

    def release(self) -> None:
        self._free.set()

    def force(self, file: int) -> None:
        self.files.add(os.fstat(file).st_ino)
        self.asked.set()
        self._free.wait(10)
        self.said.append("synced")
        if self.full:
            raise OSError(errno.EIO, "no")
        os.fsync(file)

    def say(self, what: str) -> Callable[[object], None]:
        """Something that notes that it was called."""
        return lambda _: self.said.append(what)
