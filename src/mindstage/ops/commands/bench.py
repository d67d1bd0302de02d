"""`mindstage bench turn`: measure this machine, in a temporary instance, over loopback alone."""

from __future__ import annotations

import argparse
import json

from mindstage.ops.instance import Instance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["turn"], help="turn: what the program adds to a provider's own time")
    parser.add_argument("--turns", type=int, default=40, help="turns at each step (default: 40)")
    parser.add_argument("--streams", type=int, default=1024, help="paced streams to hold at once (default: 1024)")
    parser.add_argument("--long", type=int, default=5000, help="turns of the long story (default: 5000)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(options: argparse.Namespace, instance: Instance) -> int:  # noqa: ARG001 - every command is called alike
    from mindstage.ops.bench.house import BenchFailed
    from mindstage.ops.bench.report import to_table
    from mindstage.ops.bench.turn import Options, measure

    try:
        figures = measure(Options(options.turns, options.streams, options.long))
    except BenchFailed as failure:
        print(failure)
        return 1
    print(json.dumps(figures, indent=2) if options.json else to_table(figures))
    return 0
