"""A turn from an ordinary form, for browsers without scripts: the same deed, begun from a page's thread."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import DatabaseError

from mindstage.accounts.freezing import on_freeze
from mindstage.kit.loops import call_on
from mindstage.stories import hot_path, turns
from mindstage.stories.generation import Narration
from mindstage.stories.refusals import CannotStore, MayBeStored
from mindstage.stories.turns import Taken
from mindstage.stories.write_ahead import LogRefused

log = logging.getLogger(__name__)

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
    if _door is not None:
        call_on(_door.loop, _door.narration.stop_owner, owner)


def forget_words(owners: Iterable[uuid.UUID]) -> None:
    """A text of these people has gone for good: no narrator on this machine remembers it. From any thread."""
    for owner in owners:
        if _door is not None:
            call_on(_door.loop, _door.narration.forget_owner, owner)


def take_form_turn(
    *, cookie: str, story: uuid.UUID, text: str, mode: str, form: uuid.UUID | None, segment: uuid.UUID | None
) -> None:
    """Store the turn, and let its reply begin on the event loop. Raises Refused.

    `form` is a number that the page gave its form: sent twice with the same line it is one turn. `segment`: the branch
    that the page shows.
    """
    client_id = uuid.uuid5(form, f"{mode}|{text}") if form else turns.new_client_id()

    def job() -> Taken:
        scene = hot_path.enter(cookie=cookie, story=story, segment=segment)
        return turns.take_turn(scene=scene, text=text, mode=mode, client_id=client_id)

    _store(job)


def draw_form_reply(
    *, cookie: str, story: uuid.UUID, act: str, reply: uuid.UUID, form: uuid.UUID | None, segment: uuid.UUID | None
) -> None:
    """Let a reply be written once more, or go on from its words (`act`: continue). Raises Refused."""
    client_id = uuid.uuid5(form, f"{act}|{reply}") if form else turns.new_client_id()

    def job() -> Taken:
        scene = hot_path.enter(cookie=cookie, story=story, segment=segment)
        return turns.draw_again(scene=scene, reply=reply, client_id=client_id, keep_words=act == "continue")

    _store(job)


def _store(job: Callable[[], Taken]) -> None:
    """Do it in the turns' own thread, and let the reply begin. Raises Refused."""
    door = _door
    if door is None:
        raise CannotStore
    try:
        door.narration.database.submit(job, begin=door.narration.beginning).result(STORED_WITHIN)
    except TimeoutError:
        raise CannotStore from None
    except LogRefused:
        raise MayBeStored from None
    except DatabaseError:
        log.exception("a turn could not be stored")
        raise CannotStore from None
