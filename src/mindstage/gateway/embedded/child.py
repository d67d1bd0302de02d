"""The process that holds the embedded model.

    python -m mindstage.gateway.embedded.child

One JSON line on stdin tells it what to load; one JSON line on stdout says where it listens. Its key comes over that
pipe, never by argument or environment, where other programs could read it. It lives no longer than its parent: the
kernel is asked to kill it, and a thread waits for the pipe's end, which also holds where there is no such request.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import threading
from typing import Any, BinaryIO, Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
# A cancelled request is noticed between two batches, so they are small; on a processor that costs no speed.
_BATCH: Final = 128


def main() -> None:
    """Load the model and serve it until the parent lets go of the pipe."""
    parent = os.getppid()
    _forbid_core_dumps()
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    report = _take_stdout()
    asked = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_await_end, args=(sys.stdin.buffer,), daemon=True).start()
    try:
        server = _load(asked)
    except Exception:  # whatever the binding raises, the parent only needs to know that it failed
        _say(report, {"problem": "loading_failed"})
        os._exit(1)
    _say(report, {"address": server.listening_address})
    threading.Event().wait()


def _forbid_core_dumps() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)


def _take_stdout() -> BinaryIO:
    """Keep the way to the parent for ourselves: the library may print, and no word of a story goes anywhere."""
    report = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return report


def _await_end(pipe: BinaryIO) -> None:
    while pipe.read(1):
        pass
    os._exit(0)


def _load(asked: dict[str, Any]) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = asked["path"]
    params.n_ctx = asked["context"]
    params.n_batch = params.n_ubatch = _BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = asked["threads"]
    params.n_parallel = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [asked["key"]]
    _keep_nothing(params)
    return xllamacpp.Server(params)


def _keep_nothing(params: Any) -> None:
    """One prompt in one slot; no second copy of it in memory, on disk, in a log or behind an endpoint."""
    params.cache_ram_mib = 0
    params.cache_idle_slots = False
    params.n_ctx_checkpoints = 0
    params.slot_save_path = f"{os.devnull}/"  # erasing a slot wants a path; under this one none can be written
    params.endpoint_slots = False
    params.endpoint_props = False
    params.endpoint_metrics = False
    params.ui = False
    params.verbosity = 0
    params.offline = True


def _say(report: BinaryIO, said: dict[str, str]) -> None:
    report.write(json.dumps(said).encode() + b"\n")


if __name__ == "__main__":
    main()
