"""A path through very many branches reads like any other, and costs nobody else their turn."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mindstage.accounts.models import User
from mindstage.kit import ids
from mindstage.stories import paths, turns
from mindstage.stories.models import Segment, Story, Turn
from stories.scenes import make_story, new_id, scene_of

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])

ONE_BY_ONE = 10_000


def chain(story: Story, forks: list[int]) -> list[Segment]:
    """A branch of a branch of a branch: each leaves the one before at a given position, and holds nothing yet."""
    rows: list[Segment] = []
    parent = story.head_id
    for at in forks:
        rows.append(Segment(pk=ids.sequential(), story=story, parent_id=parent, fork=at))
        parent = rows[-1].pk
    Segment.objects.bulk_create(rows)
    Story.objects.filter(pk=story.pk).update(head=rows[-1].pk)
    return rows


def scatter(story: Story, segments: list[Segment], chance: random.Random) -> None:
    """Turns here and there: shown, in the trash, a version that is not chosen, and some behind the next fork."""
    rows = []
    for segment in segments:
        for position in chance.sample(range(segment.fork, segment.fork + 4), chance.randrange(3)):
            turn = Turn(story=story, segment=segment, position=position, kind=Turn.Kind.REPLY)
            turn.chosen = chance.random() < 0.8
            turn.trashed_at = datetime(2026, 3, 1, tzinfo=UTC) if chance.random() < 0.3 else None
            rows.append(turn.seal(text="…"))
    Turn.objects.bulk_create(rows)


def read(head: uuid.UUID) -> list[object]:
    """What every way of reading finds on a path."""
    found: list[object] = [paths.read_end(head, limit=limit) for limit in (1, 5, 60)]
    found += [paths.read_back(head, before=before, limit=7) for before in (0, 5, 30, 90)]
    found += [paths.read_back(head, above=above, limit=400) for above in (3, 40)]
    found += [paths.find_on_path(head, position) for position in range(0, 90, 7)]
    return [*found, [paths.segment_at(head, position) for position in range(90)]]


@pytest.mark.parametrize("seed", range(6))
def test_leaps_find_what_steps_find(ada: User, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forks that go forwards, stay and go back; whatever lies in the segments; wherever a leap begins and ends."""
    chance = random.Random(seed)
    story = make_story(ada, turns=3)
    forks, at = [], 3
    for _ in range(40):
        at = max(1, at + chance.choice((-2, 0, 0, 1, 1, 2, 3)))
        forks.append(at)
    segments = chain(story, forks)
    scatter(story, segments, chance)
    for head in (segments[-1], segments[20], segments[2]):
        monkeypatch.setattr(paths, "STEPS", ONE_BY_ONE)
        plain = read(head.pk)
        for steps, leap in ((1, 1), (1, 3), (2, 7), (4, 256)):
            monkeypatch.setattr(paths, "STEPS", steps)
            monkeypatch.setattr(paths, "LEAP", leap)
            assert read(head.pk) == plain, (steps, leap)


@pytest.mark.parametrize("filled", [False, True])
def test_a_thousand_empty_branches_cost_a_turn_next_to_nothing(ada: User, filled: bool) -> None:
    """Clicked together or brought in: branches on which nothing shows are passed by hundreds, in a few queries.

    `filled`: with turns that the path leaves before it comes to them.
    """
    story = make_story(ada, turns=3)
    segments = chain(story, [3] * 1_000)
    if filled:
        behind = [Turn(story=story, segment=one, position=9, kind=Turn.Kind.REPLY) for one in segments[:-1]]
        Turn.objects.bulk_create([turn.seal(text="…") for turn in behind])
    scene = scene_of(story)
    with CaptureQueriesContext(connection) as asked:
        taken = turns.take_turn(scene=scene, text="On.", mode="do", client_id=new_id())
    assert [row.position for row in taken.window] == [0, 1, 2, 3]
    assert len(asked) < 30


@pytest.mark.sqlite
def test_a_leap_scans_no_table(ada: User) -> None:
    """Segments by their key, turns by their segment and position."""
    story = make_story(ada, turns=3)
    head = chain(story, [3] * 12)[-1]
    with CaptureQueriesContext(connection) as asked:
        paths.read_end(head.pk, limit=60)
    (leap,) = [query["sql"] for query in asked.captured_queries if "RECURSIVE" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {leap}")
        plan = [row[3] for row in cursor.fetchall()]
    assert not [line for line in plan if line.startswith("SCAN ") and "line" not in line], plan
    assert any(line.startswith("SEARCH t USING INDEX") for line in plan), plan
