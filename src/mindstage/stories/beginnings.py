"""Begin a story: from a scenario that ships with the program, or from a character of one's own."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.db import transaction

from mindstage.accounts.models import User
from mindstage.library.staging import StageParts
from mindstage.prompts.inputs import LoreEntry
from mindstage.stories.models import Segment, Story, Turn
from mindstage.stories.refusals import Refused
from mindstage.stories.stage import STAGE_BYTES, Role, Stage
from mindstage.vault.keys import KeyGone, create_item_key
from mindstage.vault.marks import mark_database

PERSONA_CHARACTERS = 60
TOO_MUCH: Final = (
    "All of this together is longer than a story can hold. No story was begun; choose fewer lorebooks, or a shorter "
    "persona."
)


def begin_story(
    *,
    owner: uuid.UUID,
    parts: StageParts,
    greeting: int,
    persona: str,
    about: str = "",
    lore: tuple[LoreEntry, ...] = (),
) -> Story:
    """Make a story's key, then its rows: story, root segment, and the chosen greeting as its opening.

    `about`: who `persona` is. `lore`: of the author's own lorebooks, beside what the parts bring.
    Raises Refused when there is no such greeting or too much text, KeyGone when the account is being erased.
    """
    if not 0 <= greeting < len(parts.greetings):
        raise Refused("This opening does not exist. Choose one of those on the page.")
    stage = _stage(parts, persona, about, lore).to_bytes()
    if len(stage) > STAGE_BYTES:
        raise Refused(TOO_MUCH)
    story = Story(owner_id=owner)
    create_item_key(story.pk, owner=owner)
    story.seal(title=parts.title, stage=stage)
    with transaction.atomic():
        if not User.objects.select_for_update().filter(pk=owner, state=User.State.ACTIVE).exists():
            raise KeyGone
        story.save(force_insert=True)
        story.head = Segment.objects.create(story=story)
        story.save(update_fields=["head"])
        Turn.objects.bulk_create(_openings(story, parts, greeting))
        mark_database()
    return story


def _openings(story: Story, parts: StageParts, chosen: int) -> list[Turn]:
    """The chosen greeting in the first place; beside it, of a card, its others as versions, in the card's order."""
    offered = range(len(parts.greetings)) if parts.goes_on_offering else (chosen,)
    place: dict[str, Any] = {"story": story, "segment": story.head, "position": 0, "kind": Turn.Kind.OPENING}
    return [
        Turn(**place, variant=variant, chosen=number == chosen).seal(text=parts.greetings[number])
        for variant, number in enumerate(offered)
    ]


def check_persona(name: str, *, otherwise: str) -> str:
    """The name under which the author plays, on one line. Raises Refused."""
    persona = " ".join(name.split()) or otherwise
    if len(persona) > PERSONA_CHARACTERS:
        raise Refused(f"A name to play under has at most {PERSONA_CHARACTERS} characters.")
    if not persona.isprintable():
        raise Refused("A name to play under is made of letters, digits and ordinary signs.")
    return persona


def _stage(parts: StageParts, persona: str, about: str, lore: tuple[LoreEntry, ...]) -> Stage:
    return Stage(
        persona=persona,
        premise=parts.premise,
        cast=parts.cast,
        roles=tuple(Role(name, line) for name, line in parts.roles),
        lore=(*parts.lore, *lore),
        byline=parts.byline,
        source=parts.source,
        about=about,
    )
