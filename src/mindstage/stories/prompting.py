"""From sealed rows to prompt inputs: the one place of the turn's path where a story's texts are opened."""

from __future__ import annotations

from collections.abc import Sequence

from mindstage.gateway import tokens
from mindstage.gateway.routes import Route
from mindstage.kit import clock
from mindstage.prompts.assemble import assemble
from mindstage.prompts.dialects import dialect_named
from mindstage.prompts.inputs import Budget, PastTurn, Prompt, PromptInputs
from mindstage.stories import hot_path
from mindstage.stories.hot_path import WINDOW_CHARACTERS, Scene
from mindstage.stories.models import Turn
from mindstage.stories.paths import TurnRow
from mindstage.stories.stage import Stage
from mindstage.stories.turns import Taken


def open_inputs(taken: Taken, *, route: Route) -> PromptInputs:
    """Open stage and window. Replies without a word (failed at once) are passed over. Raises Unreadable."""
    stage = Stage.from_bytes(hot_path.open_stage(taken.scene))
    turns = open_window(taken.scene, taken.window, stage)
    return PromptInputs(
        persona=stage.persona,
        premise=stage.premise,
        cast=stage.cast,
        lore=stage.lore,
        turns=turns,
        dialect=dialect_named(route.dialect),
        seed=f"{taken.scene.story}:{taken.reply.position}",
        now=clock.now(),
        continue_from=hot_path.open_text(taken.scene, taken.continues) if taken.continues else "",
        turns_before=turns[0].position if turns else 0,
    )


def open_window(scene: Scene, rows: Sequence[TurnRow], stage: Stage) -> tuple[PastTurn, ...]:
    """The newest turns that fit into WINDOW_CHARACTERS, oldest first."""
    opened: list[PastTurn] = []
    room = WINDOW_CHARACTERS
    for row in reversed(rows):
        text = hot_path.open_text(scene, row)
        room -= len(text)
        if opened and room < 0:
            break
        if text.strip():
            speaker = stage.speaker if row.kind in (Turn.Kind.REPLY, Turn.Kind.OPENING) else stage.persona
            opened.append(PastTurn(row.position, row.kind, speaker, text))
    return tuple(reversed(opened))


def build_prompt(inputs: PromptInputs, *, route: Route) -> Prompt:
    """Assemble within the route's budget, by its own tokens."""
    budget = Budget(context=route.context, reply=route.reply)
    return assemble(inputs, budget=budget, count=tokens.counter(route), overheads=tokens.overheads(route))
