"""Child processes that never outlive their parent.

Two ways at once: Linux is asked to kill the child when the parent ends (also by SIGKILL), and the child watches a pipe
whose other end only the parent holds, which works everywhere. The kernel's request is tied to the *thread* that started
the child, so start children from a thread that lives as long as the program.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import BinaryIO, Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4


def spawn(args: Sequence[str], *, environ: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a child that calls `bind_to_parent`; its stdin is the pipe it watches. Raises OSError."""
    return subprocess.Popen(list(args), stdin=subprocess.PIPE, env=None if environ is None else dict(environ))


def bind_to_parent(pipe: BinaryIO | None = None) -> None:
    """Called first in the child: no core dumps, and an end as soon as the parent is gone or lets go of the pipe."""
    parent = os.getppid()
    forbid_core_dumps()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)
    watched = sys.stdin.buffer if pipe is None else pipe
    threading.Thread(target=_await_end, args=(watched,), name="parent-watch", daemon=True).start()


def forbid_core_dumps() -> None:
    """A core file would hold unwrapped keys and open text: this process writes none, and no other may trace it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def end(child: subprocess.Popen[bytes], *, within: float) -> None:
    """Ask a child to finish, wait at most `within` seconds, then kill it."""
    child.terminate()
    try:
        child.wait(within)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdin:
        child.stdin.close()


def _await_end(pipe: BinaryIO) -> None:
    while os.read(pipe.fileno(), 4096):
        pass
    os._exit(0)
