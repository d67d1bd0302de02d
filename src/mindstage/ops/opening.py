"""Open an instance for one command: beside a running server, or alone. `serve` has its own, longer way."""

from __future__ import annotations

from mindstage.ops.instance import Instance


def refuse_missing(instance: Instance, *, nothing: str) -> None:
    """Raises StartMistake where no server was started yet. Touches nothing."""
    from mindstage.ops.mistakes import StartMistake
    from mindstage.ops.reading_files import exists
    from mindstage.ops.schema import ALIASES

    if not all(exists(instance, alias) for alias in ALIASES):
        raise StartMistake(f"There is no instance here yet; start it once with `mindstage serve`. {nothing}")


def open_instance(instance: Instance, *, nothing: str) -> None:
    """Open the keys of an instance that is open itself, and hold it when no server does. Django is set up.

    `nothing`: what was not done, for a refusal. Raises StartMistake, KeyMistake: an instance in which old files were
    put back would carry those who were ended on, so it is replayed first.
    """
    from mindstage.ops.keys_at_start import open_keys
    from mindstage.ops.mistakes import StartMistake
    from mindstage.ops.schema import ALIASES, pending_migrations, refuse_newer_schema
    from mindstage.ops.starting import A_COMMAND, refuse_closed_gate, take_lock
    from mindstage.vault.start_check import find_older_copy

    refuse_missing(instance, nothing=nothing)
    refuse_newer_schema(instance)
    if any(pending_migrations(alias) for alias in ALIASES):
        raise StartMistake(f"Start this version once with `mindstage serve` before you do this. {nothing}")
    try:
        take_lock(instance.data_dir, what=A_COMMAND)
    except StartMistake:
        open_keys(instance)  # a server runs here, and has repaired at its start what can be; it may be closed
        is_open = not find_older_copy()
    else:
        is_open = refuse_closed_gate()
    if not is_open:
        raise StartMistake(f"Old files were put back here; run `mindstage restore --replay` first. {nothing}")
