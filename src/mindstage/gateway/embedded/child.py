"""The process that holds the embedded model.

    python -m mindstage.gateway.embedded.child

One JSON line on stdin tells it what to load; one JSON line on stdout says where it listens. Its key comes over that
pipe, never by argument or environment, where other programs could read it. It lives no longer than its parent
(kit.children), and leaves no core file.
"""

import json
import os
import signal
import sys
import threading
from typing import Any, BinaryIO, Final

from mindstage.kit.children import bind_to_parent

# A cancelled request is noticed between two batches, so they are small; on a processor that costs no speed.
_BATCH: Final = 128


def main() -> None:
    """Load the model and serve it until the parent lets go of the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the parent, which then ends us
    report = _take_stdout()
    asked = json.loads(sys.stdin.buffer.readline())
    bind_to_parent()
    try:
        server = _load(asked)
    except Exception:  # whatever the binding raises, the parent only needs to know that it failed
        _say(report, {"problem": "loading_failed"})
        os._exit(1)
    _say(report, {"address": server.listening_address})
    threading.Event().wait()


def _take_stdout() -> BinaryIO:
    """Keep the way to the parent for ourselves: the library may print, and no word of a story goes anywhere."""
    report = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return report


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
