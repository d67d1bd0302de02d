"""What the machine did meanwhile: CPU and memory of a process, and of everybody else (Linux; elsewhere nothing)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Load:
    """Between two looks: wall and CPU seconds of the watched process, its resident MiB, others' percent of a core."""

    wall: float
    cpu: float
    memory: float
    others: float

    @property
    def percent(self) -> float:
        return 100 * self.cpu / self.wall if self.wall else 0.0


class Watch:
    """Watches one process from now on. `known`: other processes of ours, whose work is not the others'."""

    def __init__(self, pid: int, *, known: tuple[int, ...]) -> None:
        self._pid = pid
        self._known = (*known, os.getpid())
        self._began = time.perf_counter()
        self._before = self._look()

    def read(self) -> Load:
        cpu, ours, machine = (now - before for now, before in zip(self._look(), self._before, strict=True))
        wall = time.perf_counter() - self._began
        others = max(0.0, 100 * (machine - cpu - ours) / wall)
        return Load(wall, cpu, memory_of(self._pid), others)

    def _look(self) -> tuple[float, float, float]:
        return cpu_of(self._pid), sum(cpu_of(pid) for pid in self._known), _busy()


def cpu_of(pid: int) -> float:
    """CPU seconds that a process has used, its ended children not counted."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_of(pid: int) -> float:
    """Resident MiB of a process."""
    try:
        pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _busy() -> float:
    """CPU seconds that the whole machine has worked since it started."""
    try:
        values = [int(value) for value in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    except OSError:
        return 0.0
    return (sum(values) - values[3] - values[4]) / _TICKS
