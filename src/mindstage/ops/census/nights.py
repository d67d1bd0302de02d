"""Nights, one by one, in a process whose clock runs ahead: `python -m mindstage.ops.census.nights FIRST COUNT`.

Only an instance that a census made has any: its folder holds a mark. The program itself has no way to move its clock.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mindstage.ops.ticker import Clock

MARK: Final = "made-for-a-census"
"""A file beside the data folder."""
NO_CENSUS: Final = 2
TRIES: Final = 200


def main(arguments: Sequence[str]) -> int:
    """Pass COUNT nights, the first of them FIRST days from now. 0: they passed. 2: this is no instance of a census."""
    first, count = map(int, arguments)
    if not (Path(os.environ.get("MINDSTAGE_DATA", "/")).parent / MARK).exists():
        return NO_CENSUS
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindstage.config.settings")
    import django

    django.setup()
    from django.conf import settings

    from mindstage.kit import clock
    from mindstage.ops.commands.work import read_clocks
    from mindstage.ops.opening import open_instance

    open_instance(settings.MINDSTAGE, nothing="No night was passed.")
    clocks = [one for one in read_clocks() if one.name != "night"]
    for day in range(first, first + count):
        with clock.moved(timedelta(days=day)):
            _pass_day(clocks)
    return 0


def _pass_day(clocks: Sequence[Clock]) -> None:
    """The night, and whatever else is due: all clocks ring and all jobs run, as the worker does it."""
    from mindstage.ops.jobs import run_next_job
    from mindstage.ops.night import NightUnderWay, pass_night
    from mindstage.ops.ticker import ring_due

    for attempt in range(TRIES):
        try:
            pass_night()
            break
        except NightUnderWay:  # the server's own worker is in the middle of its first one
            if attempt == TRIES - 1:
                raise
            time.sleep(0.05)
    ring_due(clocks)
    while run_next_job():
        pass


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
