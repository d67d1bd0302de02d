"""Take a turn, and the other acts that end in a reply. Each runs whole in one job of the database thread.

Long story: docs/subsystems/one-turn.md
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.conf import settings

from mindstage.gateway.routes import Route, chosen_route
from mindstage.gateway.sendings import Noted, note_sending
from mindstage.kit import ids
from mindstage.stories import hot_path, paths
from mindstage.stories.hot_path import Scene
from mindstage.stories.models import Turn
from mindstage.stories.paths import TurnRow
from mindstage.stories.refusals import (
    EmptyTurn,
    NotSignedIn,
    NotYours,
    Refused,
    StillRunning,
    TooManyReplies,
    TurnTooLong,
    Unstorable,
)

TURN_CHARACTERS = 16_000
ACTS = ("continue", "regenerate", "retry", "go_on")
MODES = (Turn.Kind.DO, Turn.Kind.SAY, Turn.Kind.STORY, Turn.Kind.OOC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a turn stands, as the page is told."""

    id: uuid.UUID
    position: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A reply that is to be written (or, after a form sent twice, one that already is).

    `window`: the turns before the reply, oldest first, still sealed. `continues`: the sealed reply it goes on from.
    `noted`: that its request leaves this machine, and where to; None when a model of this machine answers.
    """

    scene: Scene
    turn: Place | None
    reply: Place
    window: list[TurnRow]
    begins: bool
    segment: uuid.UUID
    continues: TurnRow | None = None
    noted: Noted | None = None

    @property
    def recipient_known(self) -> bool:
        """Whether it was on the disk before this act who gets its words: then its request need not wait for that."""
        return self.noted is None or not self.noted.first


def check_text(text: object) -> str:
    """A person's line, with plain line breaks and no blank edges. Raises Refused."""
    if not isinstance(text, str):
        raise Refused("The line did not arrive as text. Nothing was changed.")
    line = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not line:
        raise EmptyTurn
    if len(line) > TURN_CHARACTERS:
        raise TurnTooLong
    if "\x00" in line or any("\ud800" <= character <= "\udfff" for character in line):
        raise Unstorable
    return line


def check_mode(mode: object) -> str:
    """do, say, story or ooc. Raises Refused."""
    if mode not in MODES:
        raise Refused("Choose whether you do, say, tell or speak out of character.")
    return str(mode)


def check_act(act: object) -> str:
    """continue, regenerate, retry or go_on. Raises Refused."""
    if act not in ACTS:
        raise Refused("The narrator does not know this request. Nothing was changed; reload the page and try again.")
    return str(act)


def take_turn(*, scene: Scene, text: str, mode: str, client_id: uuid.UUID) -> Taken:
    """Store the author's turn and open the reply to it. The same `client_id` gives the same turn again."""
    if known := hot_path.find_client_turn(scene.story, client_id):
        return _again(scene, known)
    _refuse_while_running(scene)
    route = chosen_route(scene.route)
    last, window = paths.read_end(scene.head, limit=hot_path.window_turns(route.context))
    position = last + 1
    turn = hot_path.insert_turn(scene, segment=scene.head, position=position, kind=mode, text=text, client_id=client_id)
    reply = hot_path.open_reply(scene, segment=scene.head, position=position + 1)
    noted = _close(scene, route)
    place, answer = Place(turn.id, position), Place(reply, position + 1)
    return Taken(scene, place, answer, [*window, turn], True, scene.head, noted=noted)


def go_on(*, scene: Scene, client_id: uuid.UUID) -> Taken:
    """Let the narrator continue without a line of the author."""
    if known := hot_path.find_client_turn(scene.story, client_id):
        return _again(scene, known)
    _refuse_while_running(scene)
    route = chosen_route(scene.route)
    last, window = paths.read_end(scene.head, limit=hot_path.window_turns(route.context))
    position = last + 1
    reply = hot_path.open_reply(scene, segment=scene.head, position=position, client_id=client_id)
    return Taken(scene, None, Place(reply, position), window, True, scene.head, noted=_close(scene, route))


def draw_again(*, scene: Scene, reply: uuid.UUID, client_id: uuid.UUID, keep_words: bool = False) -> Taken:
    """Write another variant of a reply; with `keep_words` one that goes on from the words already there.

    The last turn of its path gets the variant in place. An earlier one begins a branch: its story after it is kept.
    """
    if known := hot_path.find_client_turn(scene.story, client_id):
        return _again(scene, known)
    _refuse_while_running(scene)
    found = hot_path.find_reply(scene, reply)
    if found is None:
        raise NotYours("That reply is no longer there. Reload the page to see the story as it is.")
    segment, position = found.segment, found.position
    route = chosen_route(scene.route)
    window = paths.read_back(scene.head, before=position, limit=hot_path.window_turns(route.context))
    if hot_path.is_last(scene.head, position):
        variant = hot_path.unchoose(segment, position)
    else:
        segment, variant = hot_path.open_segment(scene, parent=segment, fork=position), 0
    opened = hot_path.open_reply(
        scene,
        segment=segment,
        position=position,
        variant=variant,
        client_id=client_id,
        continues=found if keep_words else None,
    )
    continues = found if keep_words else None
    return Taken(scene, None, Place(opened, position), window, True, segment, continues, noted=_close(scene, route))


def _refuse_while_running(scene: Scene) -> None:
    here, in_all = hot_path.count_running(scene)
    if here:
        raise StillRunning
    if in_all >= settings.MINDSTAGE.replies_at_once:
        raise TooManyReplies


def _close(scene: Scene, route: Route) -> Noted | None:
    """The last writes of an act: the story was played, and where its words are about to go. Raises NotSignedIn."""
    hot_path.touch_story(scene)
    if not route.leaves:
        return None
    if (noted := note_sending(scene.owner, route)) is None:  # frozen or erased since its session was found
        raise NotSignedIn
    return noted


def _again(scene: Scene, known: TurnRow) -> Taken:
    """A form that was sent twice: the reply that its first copy opened."""
    if known.kind == Turn.Kind.REPLY:
        return Taken(scene, None, Place(known.id, known.position), [], False, known.segment)
    reply = hot_path.reply_to(known)
    if reply is None:
        raise Refused("This line was played before, and its reply was deleted since. Nothing was changed.")
    return Taken(scene, Place(known.id, known.position), Place(reply, known.position + 1), [], False, known.segment)


def new_client_id() -> uuid.UUID:
    """For acts that no page numbered."""
    return ids.sequential()
