"""A reply that no longer runs here, told from what is stored: for those who come back late, or after a restart."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from mindstage.accounts import sessions
from mindstage.gateway.problems import ProviderProblem
from mindstage.stories.hot_path import Scene
from mindstage.stories.models import Turn
from mindstage.stories.refusals import NotSignedIn, NotYours, TextDamaged
from mindstage.streaming.bus import Delta, Ending, Event
from mindstage.vault import raw
from mindstage.vault.fields import allow
from mindstage.vault.keys import item_key
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Sealed, open_sealed, place

DAMAGED = "damaged"
"""The problem of a reply whose prompt could not be made, because a text of its story does not open."""
DAMAGED_THEN = "A text of this story did not open when the narrator was asked."
INTERRUPTED = "The narrator was cut off in the middle. The words so far are kept."


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A reply as the database has it, opened."""

    position: int
    text: str
    state: str
    problem: str


def find_run(*, cookie: str, run: uuid.UUID) -> StoredReply:
    """A reply of the visitor's own. Raises NotSignedIn, NotYours."""
    rows = raw.query(
        f"SELECT {sessions.COLUMNS}, t.story_id, r.position, r.text, r.state, r.problem "
        f"FROM {sessions.TABLES} "
        "LEFT JOIN stories_turn r ON r.id = %s AND r.kind = 'reply' "
        "LEFT JOIN stories_story o ON o.id = r.story_id AND o.owner_id = u.id AND o.trashed_on IS NULL "
        "LEFT JOIN stories_turn t ON t.id = r.id AND t.story_id = o.id WHERE s.key_hash = %s",
        [run, sessions.session_key_hash(cookie)],
    )
    if not rows or sessions.visitor_from_row(cookie, rows[0][: sessions.WIDTH]) is None:
        raise NotSignedIn
    story, position, text, state, problem = rows[0][sessions.WIDTH :]
    if story is None:
        raise NotYours("This reply does not exist, or it is not yours to read.")
    return _opened(raw.as_uuid(story), run, position, Sealed(text), state, problem)


def stored_reply(scene: Scene, reply: uuid.UUID) -> StoredReply:
    """The same for a story that was entered already."""
    rows = raw.query(
        "SELECT position, text, state, problem FROM stories_turn WHERE id = %s AND story_id = %s", [reply, scene.story]
    )
    if not rows:
        raise NotYours
    position, text, state, problem = rows[0]
    return _opened(scene.story, reply, position, Sealed(text), state, problem)


def events(stored: StoredReply, *, after: int, wait: int | None = None) -> list[Event]:
    """What a reader who has `after` characters still needs, and the ending; `wait`: seconds until a retry is of use."""
    rest = stored.text[after:]
    told: list[Event] = [Delta(rest, len(stored.text))] if rest else []
    ending = ending_of(stored.state, stored.problem)
    return [*told, replace(ending, retry_after=wait) if stored.state == Turn.State.FAILED else ending]


def ending_of(state: str, problem: str) -> Ending:
    """The ending that a stored state stands for. `running` without a run here: its process is gone."""
    match state:
        case Turn.State.FINISHED | Turn.State.STOPPED:
            return Ending(state, retry=state == Turn.State.STOPPED)
        case Turn.State.FAILED:
            return Ending(state, sentence_of(problem), retry=True)
        case _:
            return Ending(Turn.State.INTERRUPTED, INTERRUPTED, retry=True)


def sentence_of(problem: str) -> str:
    """The sentence for a stored kind of problem."""
    if problem == DAMAGED:
        return TextDamaged.sentence
    try:
        return ProviderProblem(problem).sentence  # type: ignore[arg-type]
    except KeyError:
        return ProviderProblem("broken").sentence


def past_of(problem: str) -> str:
    """The same for a turn after which the story went on: what happened then, and no advice that has had its time."""
    if problem == DAMAGED:
        return DAMAGED_THEN
    try:
        return ProviderProblem(problem).past  # type: ignore[arg-type]
    except KeyError:
        return ProviderProblem("broken").past


def _opened(story: uuid.UUID, reply: uuid.UUID, position: int, text: Sealed, state: str, problem: str) -> StoredReply:
    allow("story", Purpose.SHOW, keyed_to=story)
    plain = open_sealed(item_key(story), text, place(Turn._meta.db_table, "text", reply, story)).decode()
    return StoredReply(position, plain, state, problem)
