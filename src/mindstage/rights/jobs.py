"""What the worker does for this room. A job is told identifiers and nothing else."""

from __future__ import annotations

import uuid

from django.tasks import task

from mindstage.rights.export import write_export


@task
def make_export(ident: str) -> None:
    """Write the file of an export."""
    write_export(uuid.UUID(str(ident)))
