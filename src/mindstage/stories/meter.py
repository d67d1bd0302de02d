"""The context meter: what the next prompt would be made of, by the narrator's own tokens."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from mindstage.gateway.routes import chosen_route
from mindstage.stories import hot_path, paths
from mindstage.stories.hot_path import Scene
from mindstage.stories.models import Story
from mindstage.stories.prompting import build_prompt, open_inputs
from mindstage.stories.turns import Place, Taken
from mindstage.vault.keys import item_key


@dataclass(frozen=True, slots=True)
class MeterPart:
    """One bar. `share` of the whole context, 0 to 1."""

    id: str
    title: str
    tokens: int
    share: float


@dataclass(frozen=True, slots=True)
class LoreInPlay:
    """A lore entry that the next prompt carries; no key: it is always in play."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Meter:
    parts: list[MeterPart]
    used: int
    context: int
    lore: list[LoreInPlay]
    notes: tuple[str, ...]


def read_meter(story: Story) -> Meter | None:
    """The meter of a story, or None before it has a turn. Opens the window of its path."""
    if story.head_id is None:
        return None
    scene = Scene(story.owner_id, story.pk, story.head_id, story.route, story.stage, item_key(story.pk))
    route = chosen_route(story.route)
    window = paths.read_back(scene.head, limit=hot_path.window_turns(route.context))
    if not window:
        return None
    taken = Taken(scene, None, Place(uuid.UUID(int=0), window[-1].position + 1), window, False, scene.head)
    prompt = build_prompt(open_inputs(taken, route=route), route=route, weighed=True)
    parts = [MeterPart(part.id, part.title, part.tokens, part.tokens / route.context) for part in prompt.parts]
    used = sum(part.tokens for part in parts if part.id != "free")
    lore = [LoreInPlay(name, key) for name, key in prompt.lore_fired]
    return Meter(parts, used, route.context, lore, prompt.notes)
