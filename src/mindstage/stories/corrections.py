"""Correct in place what a person wrote besides turns: a story's title, and the name they play under."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction

from mindstage.stories.beginnings import check_persona
from mindstage.stories.models import Story
from mindstage.stories.reading import open_stage
from mindstage.stories.refusals import Refused, Unstorable

TITLE_CHARACTERS = 120


def correct_names(*, story: Story, title: str, persona: str) -> None:
    """Write title and persona anew, over what was there before; an empty one stays as it is. Raises Refused."""
    shown = check_title(title)
    with transaction.atomic():
        row = Story.objects.select_for_update().get(pk=story.pk)
        stage = open_stage(row)
        name = check_persona(persona, otherwise=stage.persona)
        row.seal(stage=replace(stage, persona=name).to_bytes())
        if shown:
            row.seal(title=shown)
        row.save(update_fields=["title", "stage"])


def check_title(title: str) -> str:
    """A title on one line. Raises Refused."""
    line = " ".join(title.split())
    if len(line) > TITLE_CHARACTERS:
        raise Refused(f"A title has at most {TITLE_CHARACTERS} characters. Nothing was changed.")
    if not line.isprintable():
        raise Unstorable
    return line
