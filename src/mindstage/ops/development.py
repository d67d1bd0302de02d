"""`bin/dev`: the program for development. It restarts when a file changes and offers a fake narrator.

python -m mindstage.ops.development FOLDER [options of mindstage serve]
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import mindstage
from mindstage.kit.children import end, spawn

SOURCE: Final = Path(mindstage.__file__).parent
LOOK_SECONDS: Final = 0.7
FAKE_PORT: Final = 8479
_TOML: Final = """# Made by bin/dev; yours to change. `bin/setup --reset` removes it with its folder.
debug = true

[[provider]]
id = "fake"
kind = "openai"
base_url = "http://127.0.0.1:{port}/v1"
models = ["numbered words"]
region = "this machine"
"""

_BOUND: Final = """
import runpy
from mindstage.kit.children import bind_to_parent
bind_to_parent()
runpy.run_module("{module}", run_name="__main__", alter_sys=True)
"""

type Moments = dict[Path, int]


def main(arguments: Sequence[str]) -> None:
    """Serve and restart until Ctrl-C or SIGTERM."""
    folder = Path(arguments[0])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _furnish(folder)
    fake = spawn(_python("mindstage.ops.bench.fake_provider", "--port", str(FAKE_PORT), "--tps", "20"))
    server = _serve(folder, arguments[1:])
    seen = _moments()
    try:
        while True:
            time.sleep(LOOK_SECONDS)
            if (now := _moments()) != seen:
                seen = now
                print("A file changed: starting again.", flush=True)
                end(server, within=6)
                server = _serve(folder, arguments[1:])
    except KeyboardInterrupt:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # whoever asks twice gets no second end
        end(server, within=6)
        end(fake, within=1)


def _furnish(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    toml = folder / "mindstage.toml"
    if not toml.exists():
        toml.write_text(_TOML.format(port=FAKE_PORT))


def _serve(folder: Path, options: Sequence[str]) -> subprocess.Popen[bytes]:
    places = {
        "MINDSTAGE_CONFIG": str(folder / "mindstage.toml"),
        "MINDSTAGE_DATA": str(folder / "data"),
        "MINDSTAGE_KEYS": str(folder / "keys"),
    }
    return spawn(_python("mindstage", "serve", *options), environ={**os.environ, **places})


def _python(module: str, *arguments: str) -> list[str]:
    """A module as a program that does not outlive this one."""
    return [sys.executable, "-c", _BOUND.format(module=module), *arguments]


def _moments() -> Moments:
    """Every Python file of the program with the moment of its last change. Templates and styles are read afresh."""
    moments = {}
    for file in SOURCE.rglob("*.py"):
        try:
            moments[file] = file.stat().st_mtime_ns
        except OSError:  # an editor is just replacing it
            continue
    return moments


if __name__ == "__main__":
    main(sys.argv[1:])
