"""Every clock: what happens by itself, how often, and by which deed; and what of the worker's takes long.

The worker rings them (ops/ticker.py). For what is long it has hands of its own (ops/work.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from mindstage.accounts.access_counts import purge_old_counts
from mindstage.accounts.doorsteps import purge_old_doorsteps
from mindstage.accounts.notices import purge_old_notices
from mindstage.accounts.sessions import purge_ended_sessions
from mindstage.gateway.sendings import purge_old_sendings
from mindstage.ops.jobs import purge_failed_jobs
from mindstage.ops.night import pass_night
from mindstage.ops.retention import publish_retention
from mindstage.ops.ticker import Clock
from mindstage.ops.tidying import tidy_database
from mindstage.rights.export import purge_old_exports
from mindstage.rights.jobs import make_export
from mindstage.rights.versions import tell_everybody
from mindstage.stories.drafts import purge_old_drafts

CLOCKS: Final = (
    Clock("ended sessions", timedelta(minutes=10), purge_ended_sessions),
    Clock("old doorsteps", timedelta(minutes=10), purge_old_doorsteps),
    Clock("old notices", timedelta(days=1), purge_old_notices),
    Clock("old drafts", timedelta(days=1), purge_old_drafts),
    Clock("old exports", timedelta(minutes=10), purge_old_exports),
    Clock("old access counts", timedelta(days=1), purge_old_counts),
    Clock("old sendings", timedelta(days=1), purge_old_sendings),
    Clock("failed jobs", timedelta(days=1), purge_failed_jobs),
    Clock("policy notices", timedelta(hours=6), tell_everybody),
    Clock("night", timedelta(days=1), pass_night, long=True),
    Clock("retention report", timedelta(days=1), publish_retention, long=True),
    Clock("tidy database", timedelta(days=1), tidy_database, long=True),
)
"""Each promise of the data map that names a time is kept by one line here.

The night destroys keys of backups and ends frozen accounts, the trash and old receipts: by dates of the instance's own.
"""

LONG_JOBS: Final = (make_export.module_path,)
"""Jobs that may take minutes: no other job waits for them, and no clock."""
