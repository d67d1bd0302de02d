"""A job worker as a process of its own: `python -m ops.worker_of_tests HOURS_AHEAD`. It ends when no job is due."""

from __future__ import annotations

import os
import sys
from datetime import timedelta

import django


def main(hours: str) -> None:
    django.setup()
    from mindstage.kit import clock
    from mindstage.ops.jobs import run_next_job
    from mindstage.ops.models import Job

    with clock.moved(timedelta(hours=float(hours))):
        while Job.objects.exclude(state=Job.State.FAILED).filter(due_at__lte=clock.now()).exists():
            run_next_job()


if __name__ == "__main__":
    main(sys.argv[1])
    os._exit(0)
