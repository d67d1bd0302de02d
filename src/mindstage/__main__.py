"""The `mindstage` command. Each subcommand is one module of `ops/commands`; the table below is all of them.

A mistake of the set-up ends with one sentence on stderr and exit code 2, before anything was touched.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from mindstage.config.configuration import Configuration, ConfigurationMistake, load, refuse_keys_inside_data
from mindstage.kit.acting import OPERATOR, acting_as
from mindstage.kit.words import PLACES, as_typed, called

MISTAKE = 2
"""The exit code of a mistake in the set-up."""

COMMANDS = {
    "serve": "start Mindstage: the pages, the stories, the narrator, the job worker",
    "receipt": "check a receipt of deletion or the report of a restore, without any instance",
    "doctor": "explain this set-up and find its mistakes",
    "keys": "the recovery sheet of the root key: make one, or put the key back from it",
    "models": "the narrators that run on this machine: list, install",
    "import": "bring a character card into somebody's library",
    "policy": "the data policy: release a version, see what changed, print the record of processing",
    "import-data": "bring an export of Mindstage into somebody's account",
    "backup": "take a backup now, beside a running server or without one",
    "restore": "put a backup, the keystore or a whole machine back; nobody who was erased comes with it",
    "night": "do now what the job worker does each night, or confirm that the date is right",
    "census": "plant words in a running instance and look for them in its files",
    "bench": "measure this machine",
    "work": "the job worker alone (serve starts one by itself)",
    "manage": "the framework's own commands, for developers",
}
"""Subcommand -> one line of help. `name` is found in mindstage.ops.commands.<name>, `import` in import_."""

PEOPLES = {"serve", "work"}
"""What they do is asked for by people on their pages, and by the clock. The others are the operator's own deeds."""

_EXPORTED = {"data": "MINDSTAGE_DATA", "keys": "MINDSTAGE_KEYS", "host": "MINDSTAGE_HOST", "port": "MINDSTAGE_PORT"}


def main(argv: Sequence[str] | None = None) -> None:
    """Run one subcommand and leave with its exit code."""
    os.umask(0o077)
    options = _parse(sys.argv[1:] if argv is None else list(argv))
    try:
        code = _run(options)
    except Exception as mistake:  # sorted at once: a fault of ours goes on as what it is
        if not _is_mistake(mistake):
            raise
        print(as_typed(str(mistake)), file=sys.stderr)  # noqa: T201 - the one sentence
        code = MISTAKE
    except KeyboardInterrupt:
        code = 130
    raise SystemExit(code)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=called(), description="AI storytelling on your own machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, line in COMMANDS.items():
        if (module := _command(name)) is not None:
            command = commands.add_parser(name, help=line, description=f"{line[0].upper()}{line[1:]}.")
            _add_places(command)
            module.add_arguments(command)
            command.set_defaults(module=module)
    return parser.parse_args(argv or ["--help"])


def _command(name: str) -> Any:
    module = f"mindstage.ops.commands.{name.replace('-', '_')}"
    try:
        return import_module("mindstage.ops.commands.import_" if name == "import" else module)
    except ModuleNotFoundError as missing:
        if not (missing.name or "").startswith("mindstage.ops.commands."):
            raise
        return None


def _add_places(parser: argparse.ArgumentParser) -> None:
    places = parser.add_argument_group("this instance (also MINDSTAGE_DATA, MINDSTAGE_KEYS, and mindstage.toml)")
    places.add_argument("--data", metavar="DIR", help="where stories are kept")
    places.add_argument("--keys", metavar="DIR", help="where the root key is kept: never inside the data folder")


def _run(options: argparse.Namespace) -> int:
    for name, variable in _EXPORTED.items():
        if (value := getattr(options, name, None)) is not None:
            os.environ[variable] = str(value)
    places = {f"--{name}": getattr(options, name, None) for name in ("data", "keys")}
    told = [word for option, place in places.items() if place is not None for word in (option, str(place))]
    os.environ[PLACES] = shlex.join(told)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindstage.config.settings")
    try:
        return _run_on(options, _load_for(options.module))
    except ConfigurationMistake as mistake:  # some are found only when the framework reads the settings
        if not hasattr(options.module, "explain"):
            raise
        explained: int = options.module.explain(options, mistake)
        return explained


def _run_on(options: argparse.Namespace, configuration: Configuration) -> int:
    if options.command in PEOPLES:
        code: int = options.module.run(options, configuration)
        return code
    with acting_as(OPERATOR):
        try:
            code = options.module.run(options, configuration)
        finally:
            _count_openings()
    return code


def _count_openings() -> None:
    """What a command opened of somebody's is on their page, though the process ends here."""
    from django.apps import apps

    if apps.ready:
        from mindstage.accounts.access_counts import store_counts

        store_counts()


def _load_for(module: Any) -> Configuration:
    configuration = load()
    if not getattr(module, "EXPLAINS_MISTAKES", False):
        refuse_keys_inside_data(configuration)
    return configuration


def _is_mistake(error: Exception) -> bool:
    from mindstage.ops.mistakes import StartMistake
    from mindstage.vault.root_key import KeyMistake

    return isinstance(error, ConfigurationMistake | KeyMistake | StartMistake)


if __name__ == "__main__":
    main()
