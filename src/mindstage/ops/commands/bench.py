"""`mindstage bench turn | export | erase`: measure this machine, in a temporary instance, over loopback alone."""

from __future__ import annotations

import argparse
import json
from typing import Any

from mindstage.ops.instance import Instance

WHAT = (
    "turn: what the program adds to a provider's own time; export: how fast a person's data is taken out; "
    "erase: what others notice of it"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["turn", "export", "erase"], help=WHAT)
    parser.add_argument("--turns", type=int, default=40, help="turns at each step (default: 40)")
    parser.add_argument("--streams", type=int, default=1024, help="paced streams to hold at once (default: 1024)")
    parser.add_argument("--long", type=int, default=5000, help="turns of the long story (default: 5000)")
    parser.add_argument("--exported", type=int, default=200_000, help="turns to take out (default: 200000)")
    parser.add_argument("--memory", action="store_true", help="of an export only one archive and its peak of memory")
    parser.add_argument("--erased", type=int, default=1_000_000, help="turns of who is erased (default: 1000000)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(options: argparse.Namespace, instance: Instance) -> int:  # noqa: ARG001 - every command is called alike
    from mindstage.ops.bench.house import BenchFailed

    try:
        figures, table = _measure(options)
    except BenchFailed as failure:
        print(failure)
        return 1
    print(json.dumps(figures, indent=2) if options.json else table)
    return 0


def _measure(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """The figures, and the same as a table. Raises BenchFailed."""
    if options.what == "export":
        from mindstage.ops.bench import export

        figures = export.measure(turns=options.exported, memory=options.memory)
        return figures, export.to_table(figures)
    if options.what == "erase":
        from mindstage.ops.bench import erase

        figures = erase.measure(turns=options.erased)
        return figures, erase.to_table(figures)
    from mindstage.ops.bench import report, turn

    figures = turn.measure(turn.Options(options.turns, options.streams, options.long))
    return figures, report.to_table(figures)
