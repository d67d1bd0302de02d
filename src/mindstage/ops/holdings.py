"""What the queue holds of a person: jobs that name their account."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from mindstage.datamap.holdings import Cleared, Finding
from mindstage.ops.models import Job


class JobsHolding:
    """Jobs are few and short-lived: each is looked at. Those that name an item are its own room's to end."""

    name = "ops"

    def subjects(self) -> Iterator[uuid.UUID]:
        yield from ()

    def export(self, person: uuid.UUID) -> Iterator[tuple[str, Any]]:  # noqa: ARG002 - the map says why not
        yield from ()

    def erase(self, person: uuid.UUID) -> list[Cleared]:
        count = Job.objects.filter(pk__in=_jobs_of(person)).delete()[0]
        return [Cleared("database:default ops_job", "delete", count)] if count else []

    def erase_item(self, item: uuid.UUID) -> list[Cleared]:
        return self.erase(item)

    def keep(self, subject: uuid.UUID) -> None:
        """Nothing here is frozen or in the trash."""

    def remains(self, person: uuid.UUID) -> list[Finding]:
        count = len(_jobs_of(person))
        return [Finding("database:default ops_job", count)] if count else []


def _jobs_of(subject: uuid.UUID) -> list[uuid.UUID]:
    named = str(subject)
    return [pk for pk, subjects in Job.objects.values_list("pk", "subjects") if named in subjects]
