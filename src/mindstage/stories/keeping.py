"""Keep a story's stage as a scenario of one's own, or its lore as a lorebook, to begin other stories with."""

from __future__ import annotations

import re
from dataclasses import asdict

from mindstage.library.cards import CardRefused
from mindstage.library.contents import Kind, name_out_of
from mindstage.library.lorebooks import keep_lore
from mindstage.library.materials import make_material
from mindstage.library.models import Material
from mindstage.prompts.history import NAMELESS
from mindstage.prompts.macros import literal
from mindstage.stories.models import Story, Turn
from mindstage.stories.reading import open_stage
from mindstage.stories.refusals import Refused
from mindstage.vault.purposes import Purpose

UNNAMED = "A scenario"
NO_LORE = "This story has no lore yet, so there is nothing to keep. Nothing was changed."


def keep_as_scenario(story: Story) -> Material:
    """A copy of premise, cast and lore as they stand, and of the opening. Whom the author plays is left out.

    Raises Refused, KeyGone.
    """
    stage = open_stage(story)
    content = asdict(stage) | {"persona": "", "about": "", "openings": [_opening(story, stage.persona)]}
    title = name_out_of(story.open("title", Purpose.SHOW), Kind.SCENARIO, otherwise=UNNAMED)
    return make_material(owner=story.owner_id, kind=Kind.SCENARIO, name=title, content=content)


def keep_lore_of(story: Story) -> Material:
    """A copy of a story's lore as it stands, under the story's title. Raises Refused, with nothing stored; KeyGone."""
    lore = open_stage(story).lore
    if not lore:
        raise Refused(NO_LORE)
    try:
        return keep_lore(story.owner_id, lore, name=story.open("title", Purpose.SHOW))
    except CardRefused as refused:
        raise Refused(refused.sentence.replace("Nothing was imported.", "Nothing was stored.")) from None


def _opening(story: Story, persona: str) -> str:
    """The first turn, with a macro in place of the name that the author played under.

    All else in it was written in a story, where nothing is a macro: it must not become one in the next story.
    """
    turn = Turn.objects.filter(story=story, position=0, kind=Turn.Kind.OPENING, chosen=True).first()
    text = turn.open("text", Purpose.SHOW) if turn else ""
    if persona in ("", NAMELESS):
        return literal(text)
    return "{{user}}".join(map(literal, re.split(rf"(?<!\w){re.escape(persona)}(?!\w)", text)))
