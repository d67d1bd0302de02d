"""`mindstage work`: the job worker. `mindstage serve` starts one as its child."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

from mindstage.ops.instance import Instance

if TYPE_CHECKING:
    from mindstage.ops.ticker import Clock

SCHEDULE: Final = "mindstage.config.schedule"
LOCK: Final = "worker.lock"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as-child", action="store_true", help="end with the process that started it (by its stdin)")


def run(options: argparse.Namespace, instance: Instance) -> int:
    from mindstage.kit.children import bind_to_parent, forbid_core_dumps

    if options.as_child:
        bind_to_parent()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent tells us in its time
    forbid_core_dumps()
    import django

    django.setup()
    from mindstage.ops.jobs import give_back_running_jobs
    from mindstage.ops.keys_at_start import open_keys
    from mindstage.ops.mistakes import StartMistake
    from mindstage.ops.opening import refuse_missing
    from mindstage.ops.schema import refuse_newer_schema
    from mindstage.ops.starting import refuse_closed_gate, said_in_a_sentence, take_lock
    from mindstage.ops.work import lanes_of, work

    alone = not instance.database_url
    with said_in_a_sentence():
        refuse_missing(instance, nothing="No job was run.")
        refuse_newer_schema(instance)
        if alone:
            take_lock(instance.data_dir, name=LOCK, what="A job worker")
        open_keys(instance)
        if not options.as_child and not refuse_closed_gate():  # a child is only started once its parent is open
            raise StartMistake("Old files were put back here; run `mindstage restore --replay` first. No job was run.")
        if alone:  # no other worker shares the database, so jobs that run are leftovers
            give_back_running_jobs()
    work(lanes_of(read_clocks(), read_long_jobs()))
    return 0


def read_clocks() -> Sequence[Clock]:
    """Every clock of the program: the table stands in a room above this one."""
    clocks: Sequence[Clock] = import_module(SCHEDULE).CLOCKS
    return clocks


def read_long_jobs() -> Sequence[str]:
    """The names of the jobs that may take minutes, from the same table."""
    names: Sequence[str] = import_module(SCHEDULE).LONG_JOBS
    return names
