"""From sealed rows to prompt inputs: the one place of the turn's path where a story's texts are opened."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence

from django.conf import settings

from mindstage.gateway import tokens
from mindstage.gateway.converse import Sources
from mindstage.gateway.routes import Route
from mindstage.kit import clock, ids
from mindstage.prompts.assemble import assemble
from mindstage.prompts.dialects import dialect_named
from mindstage.prompts.inputs import Budget, PastTurn, Prompt, PromptInputs
from mindstage.stories import hot_path
from mindstage.stories.hot_path import Scene, window_characters
from mindstage.stories.models import Turn
from mindstage.stories.paths import TurnRow
from mindstage.stories.stage import Stage
from mindstage.stories.turns import Taken


def open_inputs(taken: Taken, *, route: Route) -> PromptInputs:
    """Open stage and window. Replies without a word (failed at once) are passed over. Raises Unreadable."""
    stage = Stage.from_bytes(hot_path.open_stage(taken.scene))
    turns = open_window(taken.scene, taken.window, stage, room=window_characters(route.context))
    return PromptInputs(
        persona=stage.persona,
        premise=stage.premise,
        cast=stage.cast,
        lore=stage.lore,
        turns=turns,
        dialect=dialect_named(route.dialect),
        seed=f"{taken.scene.story}:{taken.reply.position}",
        now=clock.now().astimezone(settings.MINDSTAGE.time_zone),
        continue_from=hot_path.open_text(taken.scene, taken.continues) if taken.continues else "",
        turns_before=turns[0].position if turns else 0,
        model=route.model,
        about=stage.about,
    )


def open_window(scene: Scene, rows: Sequence[TurnRow], stage: Stage, *, room: int) -> tuple[PastTurn, ...]:
    """The newest turns that fit into so many characters, oldest first."""
    opened: list[PastTurn] = []
    newest_first = rows[::-1]
    for row, text in zip(newest_first, hot_path.open_texts(scene, newest_first), strict=False):
        room -= len(text)
        if opened and room < 0:
            break
        if text.strip():
            speaker = stage.speaker if row.kind in (Turn.Kind.REPLY, Turn.Kind.OPENING) else stage.persona
            opened.append(PastTurn(row.position, row.kind, speaker, text, ids.made_at(row.id)))
    return tuple(reversed(opened))


def build_prompt(inputs: PromptInputs, *, route: Route, weighed: bool = False) -> Prompt:
    """Assemble within the route's budget, by its own tokens. `weighed`: with what each part of it costs."""
    budget, overheads = Budget(context=route.context, reply=route.reply), tokens.overheads(route)
    return assemble(inputs, budget=budget, count=tokens.counter(route), overheads=overheads, weighed=weighed)


def sources_of(taken: Taken, prompt: Prompt, *, reply: uuid.UUID | None = None) -> Sources:
    """The texts behind a prompt for what was taken, or behind the one that follows its finished `reply`."""
    further = {ident for ident in (reply, taken.continues and taken.continues.id) if ident}
    told = {row.id for row in taken.window if row.position >= prompt.first_position}
    stage = hashlib.sha256(taken.scene.stage).digest()
    return Sources(stage, frozenset(told | further), frozenset({row.id for row in taken.window} | further))
