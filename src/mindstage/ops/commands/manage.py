"""`mindstage manage ...`: the framework's own commands, for developers."""

from __future__ import annotations

import argparse

from mindstage.ops.instance import Instance

EXPLAINS_MISTAKES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="check, makemigrations, shell, ...")


def run(options: argparse.Namespace, instance: Instance) -> int:  # noqa: ARG001 - every command is called alike
    from django.core.management import execute_from_command_line

    execute_from_command_line(["mindstage manage", *options.arguments])
    return 0
