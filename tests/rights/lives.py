"""Accounts for tests, generated: characters with cards of any text, stories with trees of any shape."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from PIL import Image

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.kit import ids
from mindstage.library.characters import import_character
from mindstage.library.lorebooks import keep_book_of
from mindstage.library.materials import make_material
from mindstage.library.models import Character
from mindstage.library.trash import trash_item
from mindstage.prompts.inputs import LoreEntry
from mindstage.rights.export_models import KeptFile
from mindstage.stories.keeping import keep_as_scenario
from mindstage.stories.models import Draft, Segment, Story, Turn
from mindstage.stories.trash import trash_story
from mindstage.vault.keys import create_item_key
from stories.scenes import STAGE

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)
KINDS = st.sampled_from(list(Turn.Kind))
STATES = st.sampled_from([Turn.State.FINISHED, Turn.State.STOPPED, Turn.State.FAILED, Turn.State.INTERRUPTED])


@dataclass(frozen=True)
class Spot:
    """A place: its versions, which is chosen, whether it lies in the trash."""

    kind: str
    texts: list[str]
    chosen: int
    trashed: bool
    state: str
    edited: bool
    asked: bool


@dataclass(frozen=True)
class Branch:
    """A segment: how far into which earlier one it begins, and what it holds."""

    parent: int
    fork: int
    spots: list[Spot]


@dataclass(frozen=True)
class Life:
    cards: list[dict[str, Any]]
    pictured: bool
    titles: list[str]
    trees: list[list[Branch]]
    draft: str
    """Typed for each story that has one, in two of its modes; and the premise of every story."""
    of_character: bool
    books: bool
    """Whether the lore of each character is kept as a lorebook, and each story's stage as a scenario."""
    persona: str
    trashed: frozenset[int]
    """Which of the characters and of the stories lie in the trash."""
    kept: list[bytes]
    """Files of an earlier import that nothing understood."""


def spots() -> st.SearchStrategy[list[Spot]]:
    return st.lists(
        st.builds(
            Spot,
            kind=KINDS,
            texts=st.lists(WORDS, min_size=1, max_size=3),
            chosen=st.integers(0, 2),
            trashed=st.booleans(),
            state=STATES,
            edited=st.booleans(),
            asked=st.booleans(),
        ),
        max_size=5,
    )


def trees() -> st.SearchStrategy[list[Branch]]:
    branch = st.builds(Branch, parent=st.integers(0, 5), fork=st.integers(1, 6), spots=spots())
    return st.lists(branch, min_size=1, max_size=4)


def cards() -> st.SearchStrategy[dict[str, Any]]:
    changes = st.fixed_dictionaries({"description": WORDS, "first_mes": WORDS, "creator_notes": WORDS})
    return st.tuples(st.sampled_from([make.v2, make.v3]), changes).map(lambda pair: with_data(pair[0](), pair[1]))


def with_data(card: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    card["data"] = {**card["data"], **changes, "a key of nobody": [1, None, {"x": "ü"}]}
    return card


LIVES = st.builds(
    Life,
    cards=st.lists(cards(), max_size=2),
    pictured=st.booleans(),
    titles=st.lists(WORDS, max_size=3),
    trees=st.lists(trees(), min_size=3, max_size=3),
    draft=WORDS,
    of_character=st.booleans(),
    books=st.booleans(),
    persona=WORDS,
    trashed=st.frozensets(st.integers(0, 2)),
    kept=st.lists(st.binary(max_size=60), max_size=2),
)


def live(person: User, life: Life) -> None:
    """Write a life into the database, sealed as the program seals it."""
    characters = [import_character(owner=person.pk, data=write_card(card, life.pictured)) for card in life.cards]
    for number, (title, tree) in enumerate(zip(life.titles, life.trees, strict=False)):
        source = f"character:{characters[0].pk}" if life.of_character and characters else "starter:lamp"
        story = _write_story(person, title, tree, life.draft, source, number)
        if number in life.trashed:
            trash_story(story=story)
    for number in life.trashed & set(range(len(characters))):
        trash_item(characters[number])
    _keep_materials(person, life, characters)
    for days, (ident, content) in enumerate(zip(ids.in_order(), life.kept, strict=False)):
        row = KeptFile(pk=ident, owner=person, kept_on=date(2026, 3, 1 + days))
        row.seal(path="notes/plot.txt", content=content).save(force_insert=True)


def _keep_materials(person: User, life: Life, characters: list[Character]) -> None:
    mara = make_material(owner=person.pk, kind="persona", name="Mara", content={"about": life.persona})
    kept = [mara]
    if life.books:
        kept += [book for one in characters if (book := keep_book_of(one))]
        kept += [keep_as_scenario(story) for story in Story.objects.filter(owner=person).order_by("id")]
    for number in life.trashed & set(range(len(kept))):
        trash_item(kept[number])


def write_card(card: dict[str, Any], pictured: bool) -> bytes:
    """A card as a file: JSON, or a picture that carries it."""
    if not pictured:
        return make.to_json(card)
    out = io.BytesIO()
    Image.effect_noise((64, 96), 40).convert("RGB").save(out, "PNG")
    end = make.chunk(b"IEND", b"")
    return out.getvalue().removesuffix(end) + make.text_chunk(card) + end


def _write_story(person: User, title: str, tree: list[Branch], draft: str, source: str, number: int) -> Story:
    lore = (LoreEntry(name="lamp", keys=("lamp", "Lämpchen"), content=title, selective=True),)
    stage = replace(STAGE, source=source, lore=lore, premise=draft)
    story = Story(owner=person, route="quick/fake" if number else "")
    story.played_at = datetime(2026, 3, 1, 12, 30, 5, 1234 * number, tzinfo=UTC)
    create_item_key(story.pk, owner=person.pk)
    story.seal(title=title, stage=stage.to_bytes()).save(force_insert=True)
    segments: list[Segment] = []
    for branch in tree:
        segments.append(_write_branch(story, branch, segments))
    story.head = segments[len(title) % len(segments)]
    story.save(update_fields=["head"])
    if draft:
        for mode, text in (("say", draft), ("do", draft[::-1])):
            Draft(story=story, mode=mode).seal(text=text).save(force_insert=True)
    return story


def _write_branch(story: Story, branch: Branch, segments: list[Segment]) -> Segment:
    parent = segments[branch.parent % len(segments)] if segments else None
    fork = parent.fork + branch.fork if parent else 0
    segment = Segment(pk=_later(segments), story=story, parent=parent, fork=fork)
    segment.save(force_insert=True)
    for number, spot in enumerate(branch.spots):
        for variant, text in enumerate(spot.texts):
            row = Turn(
                story=story,
                segment=segment,
                position=fork + number,
                variant=variant,
                chosen=variant == spot.chosen % len(spot.texts),
                kind=spot.kind,
                state=spot.state,
                edited=spot.edited,
                problem="silent" if spot.state == Turn.State.FAILED else "",
                client_id=ids.sequential() if spot.asked else None,
                trashed_at=story.played_at + timedelta(hours=1) if spot.trashed else None,
            )
            row.seal(text=text).save(force_insert=True)
    return segment


def _later(segments: list[Segment]) -> uuid.UUID:
    """An identifier of a later millisecond than the last, as nobody branches twice within one."""
    made = ids.sequential()
    return uuid.UUID(int=max(made.int, segments[-1].pk.int + (1 << 80))) if segments else made
