"""What the worker does for this room. A job is told identifiers and nothing else."""

from __future__ import annotations

import uuid

from django.tasks import task

from mindstage.rights.export import give_up_export, write_export


@task
def make_export(ident: str) -> None:
    """Write the file of an export."""
    write_export(uuid.UUID(str(ident)))


def make_export_given_up(ident: str) -> None:
    """Nobody will write it any more. Raises StillWriting while somebody does."""
    give_up_export(uuid.UUID(str(ident)))
