"""`mindstage manage ...`: the framework's own commands, for developers."""

from __future__ import annotations

import argparse

from mindstage.ops.instance import Instance
from mindstage.ops.mistakes import StartMistake

EXPLAINS_MISTAKES = True
NO_DATABASE = "There is no database here yet: start `mindstage serve` once, or name another folder with --data."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="check, makemigrations, shell, ...")


def run(options: argparse.Namespace, instance: Instance) -> int:  # noqa: ARG001 - every command is called alike
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(["mindstage manage", *options.arguments])
    except OperationalError as error:
        if "unable to open database file" not in str(error):
            raise
        raise StartMistake(NO_DATABASE) from None
    return 0
