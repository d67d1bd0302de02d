"""A path reads the same as a plain list would, whatever was done to the tree, and costs the same in any story."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mindstage.accounts.models import User
from mindstage.stories import paths, reading, revisions, turns
from mindstage.stories.models import Story, Turn
from people import signed_in_client
from stories.model import Cell, Tree
from stories.scenes import end_reply, fork, make_story, new_id, open_rows, scene_of, word_at

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])

type Step = tuple[str, int, int]

SCRIPT = {"X-Partial": "1"}
DEEDS = ("take", "go_on", "draw", "edit", "choose", "trash", "undo", "branch", "play")


class Played:
    """A story in the database, and the same in a model, changed by the same steps."""

    def __init__(self, owner: User) -> None:
        self.story = make_story(owner)
        opening = Turn.objects.get(story=self.story)
        assert self.story.head_id is not None
        self.tree = Tree({self.story.head_id: [Cell([word_at(0)], [opening.pk])]}, self.story.head_id)
        self.numbers = count()

    def step(self, deed: str, one: int, two: int) -> None:
        getattr(self, deed)(one, two)

    def take(self, _one: int, _two: int) -> None:
        line, answer = self._words(), self._words()
        taken = turns.take_turn(scene=scene_of(self.story), text=line, mode="say", client_id=new_id())
        end_reply(taken, answer)
        assert taken.turn is not None
        assert taken.turn.position == len(self.tree.path)
        self.tree.path.append(Cell([line], [taken.turn.id]))
        self.tree.path.append(Cell([answer], [taken.reply.id], reply=True))

    def go_on(self, _one: int, _two: int) -> None:
        answer = self._words()
        taken = turns.go_on(scene=scene_of(self.story), client_id=new_id())
        end_reply(taken, answer)
        self.tree.path.append(Cell([answer], [taken.reply.id], reply=True))

    def draw(self, one: int, _two: int) -> None:
        """In place where nothing stands after it, else on a branch."""
        replies = [at for at, cell in enumerate(self.tree.path) if cell.reply and not cell.trashed]
        if not replies:
            return
        at, answer = replies[one % len(replies)], self._words()
        cell = self.tree.path[at]
        last = not self.tree.read(above=at)
        reply = cell.ids[cell.chosen]
        taken = turns.draw_again(scene=scene_of(self.story), reply=reply, client_id=new_id())
        end_reply(taken, answer)
        if last:
            cell.add(answer, taken.reply.id)
        else:
            self.tree.branch(taken.segment, at)
            self.tree.path.append(Cell([answer], [taken.reply.id], reply=True))

    def edit(self, one: int, _two: int) -> None:
        cell, text = self._living(one), self._words()
        cell.add(text, revisions.add_version(turn=self._turn(cell), text=text).pk)

    def choose(self, one: int, two: int) -> None:
        cell = self._living(one)
        version = two % len(cell.ids)
        revisions.choose_version(turn=self._turn(cell), version=cell.ids[version])
        cell.chosen = version

    def trash(self, one: int, _two: int) -> None:
        cell = self._living(one)
        if cell is not self.tree.path[0]:
            revisions.trash_turn(turn=self._turn(cell))
            cell.trashed = True

    def undo(self, one: int, _two: int) -> None:
        cells = [cell for cell in self.tree.path if cell.trashed]
        if cells:
            cell = cells[one % len(cells)]
            revisions.untrash_turn(turn=self._turn(cell))
            cell.trashed = False

    def branch(self, one: int, _two: int) -> None:
        cell = self._living(one)
        self.story.refresh_from_db()
        segment = revisions.branch_from(story=self.story, turn=self._turn(cell))
        self.tree.branch(segment.pk, self.tree.path.index(cell) + 1)

    def play(self, one: int, _two: int) -> None:
        segment = sorted(self.tree.paths)[one % len(self.tree.paths)]
        revisions.play_branch(story=self.story, segment=segment)
        self.tree.head = segment

    def read(self, **window: Any) -> list[tuple[int, str]]:
        scene = scene_of(self.story)
        rows = paths.read_back(scene.head, **{"limit": 10_000, **window})
        return list(zip([row.position for row in rows], open_rows(scene, rows), strict=True))

    def _living(self, number: int) -> Cell:
        cells = [cell for cell in self.tree.path if not cell.trashed]
        return cells[number % len(cells)]

    def _turn(self, cell: Cell) -> Turn:
        return Turn.objects.get(pk=cell.ids[cell.chosen])

    def _words(self) -> str:
        return f"words {next(self.numbers)}"


numbers = st.integers(0, 60)
steps = st.lists(st.tuples(st.sampled_from(DEEDS), numbers, numbers), max_size=14)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, numbers, st.integers(-1, 40), st.integers(1, 20))
@example([("take", 0, 0), ("branch", 2, 0), ("branch", 1, 0), ("trash", 1, 0), ("take", 0, 0)], 3, 0, 2)
@example([("take", 0, 0), ("take", 0, 0), ("trash", 4, 0), ("trash", 3, 0), ("draw", 0, 0), ("undo", 1, 0)], 9, 1, 3)
def test_a_path_reads_like_a_list(ada: User, done: list[Step], before: int, above: int, limit: int) -> None:
    """Appends, branches anywhere, nested, drawing again, versions, trash and undo: every window equals the model's."""
    played = Played(ada)
    for deed, one, two in done:
        played.step(deed, one, two)
    for segment in played.tree.paths:
        played.tree.head = segment
        revisions.play_branch(story=played.story, segment=segment)
        tree = played.tree
        assert paths.read_end(segment, limit=1)[0] == len(tree.path) - 1
        assert played.read() == tree.read()
        assert played.read(before=before) == tree.read(before=before)
        assert played.read(above=above) == tree.read(above=above)
        assert played.read(limit=limit) == tree.read(limit=limit)
        assert played.read(before=before, above=above, limit=limit) == tree.read(
            before=before, above=above, limit=limit
        )
        for position in (0, before, len(tree.path) - 1, len(tree.path)):
            found = paths.find_on_path(segment, position)
            told = [text for at, text in tree.read() if at == position]
            assert ([found.id] if found else []) == [
                cell.ids[cell.chosen] for cell in tree.path[position : position + 1] if not cell.trashed
            ]
            assert (open_rows(scene_of(played.story), [found]) if found else []) == told
    chosen = Turn.objects.filter(story=played.story, chosen=True).values_list("segment", "position")
    places = Turn.objects.filter(story=played.story).values_list("segment", "position").distinct()
    assert sorted(chosen) == sorted(places)


@pytest.fixture
def long_story(ada: User) -> Story:
    """5,000 turns on one line."""
    return make_story(ada, turns=5_000)


@pytest.mark.sqlite
def test_a_window_is_two_ranges_right_after_a_branch(long_story: Story) -> None:
    """The last 60 turns of a path that branched at turn 10 of 5,000 are read by four queries, with nothing sorted."""
    root = long_story.head
    assert root is not None
    branch = fork(long_story, parent=root, at=10, count=3)
    with CaptureQueriesContext(connection) as asked:
        rows = paths.read_back(branch.pk, limit=60)
    assert [row.position for row in rows] == list(range(13))
    assert len(asked) == 4
    with CaptureQueriesContext(connection) as more:
        assert len(paths.read_back(root.pk, limit=60)) == 60
        assert paths.find_on_path(branch.pk, 4)
        assert paths.read_end(branch.pk, limit=1)[0] == 12
        assert len(paths.read_back(root.pk, before=2_500, limit=51)) == 51
        assert len(paths.read_back(root.pk, above=4_990, limit=400)) == 9
    for query in (*asked.captured_queries, *more.captured_queries):
        plan = plan_of(query["sql"])
        assert not re.search(r"SCAN|TEMP B-TREE", plan), plan


def test_a_window_of_a_long_branch_is_one_range(long_story: Story) -> None:
    """When a branch itself holds 60 turns, nothing of the line it left is read."""
    assert long_story.head is not None
    branch = fork(long_story, parent=long_story.head, at=10, count=70)
    with CaptureQueriesContext(connection) as asked:
        paths.read_back(branch.pk, limit=60)
    assert len(asked) == 2


def test_a_page_costs_the_same_in_any_story(ada: User, long_story: Story) -> None:
    """The play page and its older turns take as many queries at 5,000 turns as at 50, before and after a branch."""
    short = make_story(ada, turns=52)
    client = signed_in_client(ada)
    costs: dict[str, set[int]] = {}

    def visit(name: str) -> None:
        for story in (short, long_story):
            page = reverse("story", args=[story.pk])
            costs.setdefault(name, set()).add(queries(lambda page=page: client.get(page)))  # type: ignore[misc]
            older = reverse("turns", args=[story.pk]) + "?before=51"
            costs.setdefault(f"older {name}", set()).add(queries(lambda older=older: client.get(older, headers=SCRIPT)))  # type: ignore[misc]

    visit("before")
    for story in (short, long_story):
        assert story.head is not None
        fork(story, parent=story.head, at=10, count=60)
    visit("after")
    assert all(len(found) == 1 for found in costs.values()), costs
    assert max(max(found) for found in costs.values()) <= 16, costs


@pytest.mark.sqlite
def test_no_query_of_the_page_scans(ada: User, long_story: Story) -> None:
    """Every query of the play page and of a turn finds its rows by an index; none goes through a person's stories."""
    client = signed_in_client(ada)
    assert long_story.head is not None
    fork(long_story, parent=long_story.head, at=10, count=3)
    with CaptureQueriesContext(connection) as asked:
        client.get(reverse("story", args=[long_story.pk]))
        taken = turns.take_turn(scene=scene_of(long_story), text="On.", mode="do", client_id=new_id())
        end_reply(taken)
        turns.draw_again(scene=scene_of(long_story), reply=taken.reply.id, client_id=new_id())
    for query in asked.captured_queries:
        if "stories_turn" in query["sql"] and query["sql"].lstrip().startswith(("SELECT", "UPDATE")):
            plan = plan_of(query["sql"])
            one_row = "INDEX running_replies" in plan
            # What runs just now, and nothing else; newer versions of SQLite need no look at the rows themselves.
            plan = re.sub("SCAN t USING (COVERING )?INDEX running_replies", "", plan)
            assert not re.search("SCAN" if one_row else "SCAN|TEMP B-TREE", plan), (query["sql"][:300], plan)
            assert "(owner_id=?)" not in plan, (query["sql"][:300], plan)


def test_older_turns_join_on(ada: User) -> None:
    """Scrolling back page by page shows every turn once, and ends at the opening."""
    story = make_story(ada, turns=130)
    assert story.head is not None
    fork(story, parent=story.head, at=60, count=53)
    stage = reading.open_stage(story)
    seen: list[int] = []
    before = None
    while True:
        stretch = reading.read_stretch(story, stage, before=before)
        seen = [turn.position for turn in stretch.turns] + seen
        if not stretch.has_earlier:
            break
        before = stretch.first_position
    assert seen == list(range(113))


def queries(work: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert work().status_code == 200
    return len(asked)


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + re.sub(r"<Sealed \d+ bytes>", "x''", sql).replace("%", "%%"))
        return "\n".join(str(row[3]) for row in cursor.fetchall())


def test_an_unknown_head_has_no_turns() -> None:
    """A path of a segment that is gone is empty, and nothing breaks."""
    nowhere = uuid.uuid4()
    assert paths.read_back(nowhere, limit=5) == []
    assert paths.read_end(nowhere, limit=1)[0] == -1
    assert paths.find_on_path(nowhere, 0) is None
