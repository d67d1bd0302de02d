"""Stories for tests, built quickly: sealed like real ones, inserted in bulk."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from mindstage.accounts.models import User
from mindstage.accounts.sessions import begin_session
from mindstage.kit import ids
from mindstage.prompts.inputs import CastMember
from mindstage.stories import hot_path, paths
from mindstage.stories.hot_path import Scene
from mindstage.stories.models import Segment, Story, Turn
from mindstage.stories.paths import TurnRow
from mindstage.stories.stage import Role, Stage
from mindstage.stories.turns import Place, Taken
from mindstage.vault.keys import create_item_key, item_key
from mindstage.vault.purposes import Purpose

STAGE = Stage(
    persona="Ada",
    premise="A lighthouse on the last cliff, and a lamp that answers.",
    cast=(CastMember(name="Maren", description="Keeps the lamp."),),
    roles=(Role("Maren", "keeps the lamp"),),
    lore=(),
    byline="mystery",
    source="starter:lamp",
)


def word_at(position: int) -> str:
    """What a built story says at a position."""
    return f"Line {position} of the story."


def kind_at(position: int) -> str:
    """Opening, then lines and replies in turn: odd positions are the person's."""
    if position == 0:
        return Turn.Kind.OPENING
    return Turn.Kind.DO if position % 2 else Turn.Kind.REPLY


def make_story(owner: User, *, turns: int = 1) -> Story:
    """A story of `owner` with an opening and `turns - 1` turns after it, the last one on its head segment."""
    story = Story(owner=owner)
    create_item_key(story.pk, owner=owner.pk)
    story.seal(title="The Lamp", stage=STAGE.to_bytes())
    story.save(force_insert=True)
    story.head = Segment.objects.create(story=story)
    story.save(update_fields=["head"])
    add_turns(story, story.head, first=0, count=turns)
    return story


def add_turns(story: Story, segment: Segment, *, first: int, count: int) -> None:
    """`count` turns from position `first` on, straight into a segment."""
    rows = [
        Turn(story=story, segment=segment, position=position, kind=kind_at(position))
        for position in range(first, first + count)
    ]
    Turn.objects.bulk_create([row.seal(text=word_at(row.position)) for row in rows], batch_size=500)


def fork(story: Story, *, parent: Segment, at: int, count: int = 0) -> Segment:
    """A branch whose first turn stands at position `at`; it becomes the story's head."""
    segment = Segment.objects.create(story=story, parent=parent, fork=at)
    add_turns(story, segment, first=at, count=count)
    story.head = segment
    story.save(update_fields=["head"])
    return segment


def texts_of(story: Story, *, kind: str | None = None) -> list[str]:
    """The opened texts of a story's rows, variants and trash too, in order of position and variant."""
    rows = Turn.objects.filter(story=story).order_by("position", "variant")
    return [row.open("text", Purpose.SHOW) for row in rows if kind is None or row.kind == kind]


def last_reply(story: Story) -> Turn:
    """The reply that was opened last."""
    return Turn.objects.filter(story=story, kind=Turn.Kind.REPLY).order_by("-id")[0]


def text_of(turn: Turn) -> str:
    return Turn.objects.get(pk=turn.pk).open("text", Purpose.SHOW)


def scene_of(story: Story, *, segment: uuid.UUID | None = None) -> Scene:
    """What `hot_path.enter` finds for the story's owner."""
    story.refresh_from_db()
    head = segment or story.head_id
    assert head is not None
    return Scene(story.owner_id, story.pk, head, story.route, story.stage, item_key(story.pk))


def taken_of(story: Story) -> Taken:
    """The story's last turns, as `turns.take_turn` hands them on; the reply has no row yet."""
    scene = scene_of(story)
    window = paths.read_back(scene.head, limit=60)
    return Taken(scene, None, Place(ids.sequential(), window[-1].position + 1), window, False, scene.head)


def end_reply(taken: Taken, text: str = "So it went.", state: str = Turn.State.FINISHED) -> None:
    """Let an opened reply end with a text, as a run does."""
    hot_path.end_reply(taken.reply.id, text=hot_path.seal_text(taken.scene, taken.reply.id, text), state=state)


def open_rows(scene: Scene, rows: list[TurnRow]) -> list[str]:
    return [hot_path.open_text(scene, row) for row in rows]


@dataclass(frozen=True)
class Player:
    """An account and the cookie of its browser."""

    account: User
    cookie: str = field(repr=False)


def make_player(account: User) -> Player:
    return Player(account, begin_session(account, "computer"))


def new_id() -> uuid.UUID:
    """A client id, as a page makes one for each act."""
    return ids.sequential()
