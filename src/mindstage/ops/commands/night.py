"""`mindstage night`: do now what a night does, or say that the date is right. The worker passes one each 24 hours."""

from __future__ import annotations

import argparse

from mindstage.kit.words import as_typed, counted
from mindstage.ops.instance import Instance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--confirm-date",
        action="store_true",
        help="the machine was off and its date is right: catch up, and let freezes and the trash move along",
    )


def run(options: argparse.Namespace, instance: Instance) -> int:
    """Exit code 0: passed; 1: a step failed and `mindstage doctor` says which. Raises StartMistake, KeyMistake."""
    import django

    django.setup()
    from mindstage.ops.mistakes import StartMistake
    from mindstage.ops.night import EndingsFailed, NightUnderWay, NothingToConfirm, confirm_date, pass_night
    from mindstage.ops.opening import open_instance

    open_instance(instance, nothing="Nothing was done.")
    try:
        if options.confirm_date:
            print(f"The date moved on by {counted(confirm_date(), 'day')}; freezes and the trash moved along.")
            return 0
        row = pass_night(by_hand=True)
    except (NightUnderWay, NothingToConfirm) as refused:
        raise StartMistake(str(refused) or "A night is under way already; nothing was done.") from None
    except EndingsFailed:
        print("The night is not over: something that was due could not be ended. It is tried again soon.")
        return 1
    failed = row.backup_problem or row.epoch_problem
    done = "Done: what was due, a backup, the epoch."
    print(as_typed("Not all could be done; `mindstage doctor` says what.") if failed else done)
    return 1 if failed else 0
