"""Correct in place what a story began with: its premise, its cast, its lore. The next prompt is told what stands then.

The stage was copied into the story when it began, so that no correction of a character or a scenario changes a story
that is being played; and so it is here that a story's own copy is put right.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Container, Mapping
from typing import Any, Final

from mindstage.kit import canonical
from mindstage.library.correctable import Group, pick_changes
from mindstage.library.stage_texts import check_text, offered, put_stage_text, walk_stage
from mindstage.stories.models import Story
from mindstage.stories.refusals import Refused
from mindstage.stories.stage import STAGE_BYTES, Stage
from mindstage.vault.purposes import Purpose

TOO_LONG: Final = "All of this together is longer than a story can hold. Nothing was changed; please shorten it."


def list_stage(story: Story, typed: Container[str] = ()) -> list[Group]:
    """What can be corrected in a story's stage; also the texts (paths) `typed`, if they are empty. Raises KeyGone."""
    return offered(list(walk_stage(_open(story))), typed)


def correct_stage(*, story: Story, texts: Mapping[str, str], seen: Mapping[str, str]) -> None:
    """Write the texts (path -> text) of a stage anew; `seen`: the marks of what the page showed.

    Raises Refused, Meanwhile, with nothing changed; KeyGone.
    """
    while not _correct(story.pk, texts, seen):
        pass  # another tab was faster, so its words are there now


def _correct(ident: uuid.UUID, texts: Mapping[str, str], seen: Mapping[str, str]) -> bool:
    """Write what becomes of the stage as it is now, unless it has changed meanwhile: nobody else's writing waits for a
    large one to be read.
    """
    row = Story.objects.get(pk=ident)
    same = Story.objects.filter(pk=ident, stage=row.stage)
    raw = _open(row)
    changes = pick_changes([one for group in walk_stage(raw) for one in group.fields], texts, seen)
    for one, text in changes:
        put_stage_text(raw, one, check_text(one, text))
    return not changes or bool(same.update(stage=row.seal(stage=_pack(raw)).stage))


def _open(story: Story) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(story.open_bytes("stage", Purpose.SHOW))
    return {"about": "", **raw}  # a story of an older program has no such text yet


def _pack(raw: dict[str, Any]) -> bytes:
    content = canonical.to_bytes(raw)
    if len(content) > STAGE_BYTES:
        raise Refused(TOO_LONG)
    Stage.from_bytes(content)  # what could not be read again is not written
    return content
