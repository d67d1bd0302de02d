"""Nights, one after the other, on a stopped instance, each a day later: `python -m system.pass_nights COUNT`."""

from __future__ import annotations

import os
import sys
from datetime import timedelta

import django


def main(count: int) -> None:
    """What the job worker does in that many nights. Raises EndingsFailed and whatever a start refuses."""
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindstage.config.settings")
    django.setup()
    from django.conf import settings

    from mindstage.kit import clock
    from mindstage.ops.night import pass_night
    from mindstage.ops.starting import refuse_closed_gate, take_lock

    take_lock(settings.MINDSTAGE.data_dir)
    assert refuse_closed_gate()
    for day in range(1, count + 1):
        with clock.moved(timedelta(days=day)):
            night = pass_night()
            assert [night.backup_problem, night.epoch_problem, night.ending_problem] == ["", "", ""]


if __name__ == "__main__":
    main(int(sys.argv[1]))
