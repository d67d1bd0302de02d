"""Every clock: what happens by itself, how often, and by which deed. The worker rings them (ops/ticker.py)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from mindstage.accounts.doorsteps import purge_old_doorsteps
from mindstage.accounts.notices import purge_old_notices
from mindstage.accounts.sessions import purge_ended_sessions
from mindstage.ops.jobs import purge_failed_jobs
from mindstage.ops.ticker import Clock
from mindstage.ops.tidying import tidy_database
from mindstage.rights.versions import tell_everybody
from mindstage.stories.drafts import purge_old_drafts
from mindstage.stories.revisions import purge_old_trash

CLOCKS: Final = (
    Clock("ended sessions", timedelta(minutes=10), purge_ended_sessions),
    Clock("old doorsteps", timedelta(minutes=10), purge_old_doorsteps),
    Clock("old notices", timedelta(days=1), purge_old_notices),
    Clock("old drafts", timedelta(days=1), purge_old_drafts),
    Clock("old trash", timedelta(hours=6), purge_old_trash),
    Clock("failed jobs", timedelta(days=1), purge_failed_jobs),
    Clock("policy notices", timedelta(hours=6), tell_everybody),
    Clock("tidy database", timedelta(days=1), tidy_database),
)
"""Each promise of the data map that names a time is kept by one line here."""
