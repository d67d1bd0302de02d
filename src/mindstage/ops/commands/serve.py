"""`mindstage serve`: everything, with one command."""

from __future__ import annotations

import argparse
import sys

from mindstage.kit.addresses import address_to_open
from mindstage.kit.words import as_typed
from mindstage.ops.instance import Instance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="the address to listen on (default: 127.0.0.1, this machine alone)")
    parser.add_argument("--port", type=int, help="the port to listen on; 0 takes any free one (default: 8470)")


def run(options: argparse.Namespace, instance: Instance) -> int:  # noqa: ARG001 - every command is called alike
    from mindstage.ops.serve import end_quietly, serve
    from mindstage.ops.starting import Prepared, prepare

    end_quietly()
    prepared: Prepared = prepare(instance)
    from mindstage.vault.start_check import Mode, current_gate  # needs the framework, which is set up by now

    def say_ready() -> None:
        address = address_to_open(instance.host, prepared.port)
        if prepared.owner_link:
            say("The first account made through this link owns this instance. It works once:")
            say(f"  {address}{prepared.owner_link}")
        if prepared.is_new:
            say("Make a recovery sheet of the root key, once: without it nobody can read anything here, not even you.")
            say("  mindstage keys sheet FILE.html      print it, put it away from this machine, delete the file")
        if instance.config_file:
            say(f"Settings are read from {instance.config_file}")
        if instance.answers_to_no_name:
            say("It listens to every network and answers to localhost alone. Name in mindstage.toml what people type:")
            say('  allowed_hosts = ["192.168.1.20"]')
        if current_gate().mode is Mode.OPEN:
            say(f"Mindstage is ready: {address}/ (Ctrl-C ends it; stories are kept in {instance.data_dir})")
        else:
            say(current_gate().why)
            say(f"Mindstage is closed: {address}/ shows nobody anything (Ctrl-C ends it)")

    return serve(prepared, on_ready=say_ready)


def say(line: str) -> None:
    """To the terminal, at once, also when it is a pipe."""
    print(as_typed(line), file=sys.stdout, flush=True)
