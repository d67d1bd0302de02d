"""Memory is gathered into large pages where Linux has them, and nothing is lost or spent by it."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path

import pytest

from mindstage.kit import large_pages
from mindstage.kit.large_pages import gather_memory

MIB = 1024 * 1024

MAPS = """\
00200000-00a00000 rw-p 00000000 00:00 0
Rss:                8192 kB
00a00000-01200000 rw-p 00000000 00:00 0
Rss:                 120 kB
01200000-01a00000 rw-p 00000000 00:00 0                                  [heap]
Rss:                4096 kB
01a00000-02200000 r-xp 00000000 08:01 42                                 /usr/lib/a library.so
Rss:                8192 kB
02200000-02a00000 rw-p 00000000 00:00 0                                  [stack]
Rss:                8192 kB
02a00000-03200000 rw-s 00000000 00:01 7                                  /dev/zero (deleted)
Rss:                8192 kB
"""


def test_only_our_own_memory_that_is_in_use_is_chosen() -> None:
    """No file, no stack, nothing shared, and nothing that is mostly air: that would be filled with zeros."""
    assert list(large_pages._filled(MAPS)) == [(0x200000, 0xA00000), (0x1200000, 0x1A00000)]


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_what_is_held_stays_as_it_is() -> None:
    """Bytes keep their values, and the process takes about as much memory as before."""
    held = mmap.mmap(-1, 32 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    words = bytes(range(256)) * 4096
    for at in range(0, len(held), MIB):
        held[at : at + MIB] = words
    before = resident()
    gathered = gather_memory()
    assert all(held[at : at + MIB] == words for at in range(0, len(held), MIB))
    assert resident() - before <= max(gathered // 2, 4 * MIB)
    held.close()


@pytest.mark.parametrize("missing", ["enabled", "hpage_pmd_size"])
def test_where_there_are_none_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Another system, an old kernel, or one that was told never to."""
    (tmp_path / "enabled").write_text("always madvise [never]\n")
    (tmp_path / "hpage_pmd_size").write_text("2097152\n")
    monkeypatch.setattr(large_pages, "_SETTINGS", tmp_path)
    assert gather_memory() == 0
    (tmp_path / missing).unlink()
    assert gather_memory() == 0


def resident() -> int:
    """Bytes that this process holds in memory."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024
