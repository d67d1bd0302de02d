"""Correct in place what a person wrote besides turns: a story's title, and the name they play under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from django.db import transaction

from mindstage.library.correctable import Correctable, pick_changes
from mindstage.stories.beginnings import check_persona
from mindstage.stories.models import Story
from mindstage.stories.reading import open_stage
from mindstage.stories.refusals import Refused, Unstorable
from mindstage.vault.purposes import Purpose

TITLE_CHARACTERS = 120
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def list_names(story: Story) -> list[Correctable]:
    """Title and persona, as a page shows them. Raises KeyGone."""
    title = Correctable("title", "Title", story.open("title", Purpose.SHOW))
    return [title, Correctable("persona", "Your name in this story", open_stage(story).persona)]


def correct_names(*, story: Story, title: str, persona: str, seen: Mapping[str, str] = NOTHING) -> None:
    """Write title and persona anew, over what was there before; an empty one stays as it is.

    `seen`: the marks of what the page showed. Raises Refused, Meanwhile, with nothing changed.
    """
    shown = check_title(title)
    with transaction.atomic():
        row = Story.objects.select_for_update().get(pk=story.pk)
        stage = open_stage(row)
        typed = {"title": shown, "persona": check_persona(persona, otherwise=stage.persona)}
        changes = {one.path: text for one, text in pick_changes(list_names(row), typed, seen) if text}
        if "persona" in changes:
            row.seal(stage=replace(stage, persona=changes["persona"]).to_bytes())
        if "title" in changes:
            row.seal(title=changes["title"])
        row.save(update_fields=["title", "stage"])


def check_title(title: str) -> str:
    """A title on one line. Raises Refused."""
    line = " ".join(title.split())
    if len(line) > TITLE_CHARACTERS:
        raise Refused(f"A title has at most {TITLE_CHARACTERS} characters. Nothing was changed.")
    if not line.isprintable():
        raise Unstorable
    return line
