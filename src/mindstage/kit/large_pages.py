"""Ask Linux to keep what this process holds in large pages.

A narrator's pauses put the process to sleep, and it wakes with cold caches. Each first look at a page of memory then
asks where the page lies, and in a virtual machine the answer is itself some twenty looks at memory. A large page
answers for 512 small ones (docs/performance.md has the figures).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SETTINGS: Final = Path("/sys/kernel/mm/transparent_hugepage")
_MAPPED: Final = Path("/proc/self/smaps")
# linux/mman.h; what gathers at once is there since Linux 6.1, and elsewhere the request is refused.
_HUGEPAGE: Final = 14
_COLLAPSE: Final = 25


def gather_memory() -> int:
    """Move what lies in small pages into large ones; how many bytes lie in such now. 0 where the system has none.

    It takes some 5 ms for a large page, in which other threads wait when they ask for memory.
    """
    try:
        if "[never]" in (_SETTINGS / "enabled").read_text():
            return 0
        size = int((_SETTINGS / "hpage_pmd_size").read_text())
        ranges = list(_filled(_MAPPED.read_text()))
    except (OSError, ValueError):
        return 0
    return sum(_gather(start, end, size) for start, end in ranges)


def _filled(mapped: str) -> Iterator[tuple[int, int]]:
    """The ranges of our own memory that are at least half in use: the rest of a thread's stack shall stay nothing.

    `mapped`: as proc_pid_smaps(5) has it, a line of addresses and some of sizes in kB for each range.
    """
    start = end = 0
    for line in mapped.splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            ours = words[1] == "rw-p" and (len(words) == 5 or words[5] == "[heap]")
            start, end = (int(edge, 16) for edge in words[0].split("-")) if ours else (0, 0)
        elif words[0] == "Rss:" and 2 * 1024 * int(words[1]) >= end - start > 0:
            yield start, end


def _gather(start: int, end: int, size: int) -> int:
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    whole = range(-(-start // size) * size, end // size * size, size)
    if not whole or advise(start, end - start, _HUGEPAGE):
        return 0
    return sum(size for at in whole if advise(at, size, _COLLAPSE) == 0)
