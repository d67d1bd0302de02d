"""A turn from an ordinary form, for browsers without scripts: the same deed, begun from a page's thread."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

from mindstage.accounts.freezing import on_freeze
from mindstage.stories import hot_path, turns
from mindstage.stories.generation import Narration
from mindstage.stories.refusals import CannotStore
from mindstage.stories.turns import Taken

STORED_WITHIN = 10.0
"""Seconds: a page's thread waits no longer for its turn in the database."""


@dataclass(frozen=True, slots=True)
class _Door:
    narration: Narration
    loop: asyncio.AbstractEventLoop


_door: _Door | None = None


def open_door(narration: Narration) -> None:
    """Let forms reach the running replies of this process. Called on the event loop, when the program opens."""
    global _door
    _door = _Door(narration, asyncio.get_running_loop())
    on_freeze("narration", stop_narration)


def stop_narration(owner: uuid.UUID) -> None:
    """Stop the running replies of a person, from any thread."""
    if _door is not None and not _door.loop.is_closed():
        _door.loop.call_soon_threadsafe(_door.narration.stop_owner, owner)


def take_form_turn(*, cookie: str, story: uuid.UUID, text: str, mode: str) -> None:
    """Store the turn, and let its reply begin on the event loop. Raises Refused."""
    if _door is None:
        raise CannotStore

    def job() -> Taken:
        scene = hot_path.enter(cookie=cookie, story=story)
        return turns.take_turn(scene=scene, text=text, mode=mode, client_id=turns.new_client_id())

    taken = _door.narration.database.submit(job).result(STORED_WITHIN)
    _door.loop.call_soon_threadsafe(_door.narration.start_run, taken)
