"""Keep a story's stage as a scenario of one's own, to begin other stories with."""

from __future__ import annotations

import re
from dataclasses import asdict

from mindstage.library.contents import Kind, name_out_of
from mindstage.library.materials import make_material
from mindstage.library.models import Material
from mindstage.prompts.history import NAMELESS
from mindstage.stories.models import Story, Turn
from mindstage.stories.reading import open_stage
from mindstage.vault.purposes import Purpose

UNNAMED = "A scenario"


def keep_as_scenario(story: Story) -> Material:
    """A copy of premise, cast and lore as they stand, and of the opening. Whom the author plays is left out.

    Raises Refused, KeyGone.
    """
    stage = open_stage(story)
    content = asdict(stage) | {"persona": "", "about": "", "openings": [_opening(story, stage.persona)]}
    title = name_out_of(story.open("title", Purpose.SHOW), Kind.SCENARIO, otherwise=UNNAMED)
    return make_material(owner=story.owner_id, kind=Kind.SCENARIO, name=title, content=content)


def _opening(story: Story, persona: str) -> str:
    """The first turn, with a macro in place of the name that the author played under."""
    turn = Turn.objects.filter(story=story, position=0, kind=Turn.Kind.OPENING, chosen=True).first()
    text = turn.open("text", Purpose.SHOW) if turn else ""
    if persona in ("", NAMELESS):
        return text
    return re.sub(rf"(?<!\w){re.escape(persona)}(?!\w)", "{{user}}", text)
