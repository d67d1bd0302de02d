"""While somebody with very much is erased, others play on: the eraser lets go of the database after every batch.

What they notice of it in milliseconds is measured by `mindstage bench erase`; here is what makes it so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, connections, transaction

from library import card_makers as make
from mindstage.datamap import batches
from mindstage.library.characters import import_character
from mindstage.rights.erasure import request_erasure, run_due
from mindstage.rights.requests import ErasureRequest
from mindstage.stories.models import Draft, Story, Turn
from mindstage.vault.clocks import slow_date
from rights.erasures import Life, assert_gone, make_life
from stories.scenes import add_turns, fork, make_story

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"], transaction=True), pytest.mark.sqlite]

SMALL = 10
"""Rows of a batch here, so that a small account takes many."""
PATIENCE = 20.0


@dataclass
class Beside:
    """Ben, who wants to write from the moment in which the eraser holds the lock; and who wrote, commit by commit."""

    story: Story
    commits: list[tuple[str, int]] = field(default_factory=list)
    """Whose commit it was, and how many rows it changed."""
    _wants: threading.Event = field(default_factory=threading.Event)
    _wrote: threading.Event = field(default_factory=threading.Event)
    _over: bool = False
    _changes: int = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what this thread commits, while Ben writes in one of his own."""
        thread = threading.Thread(target=self._write_when_wanted, daemon=True)
        thread.start()
        self._changes = self._total()
        try:
            with connection.execute_wrapper(self._watch):
                yield
        finally:
            self._over = True
            self._wants.set()
            thread.join(PATIENCE)
        assert not thread.is_alive()

    def let_in(self, took: float) -> None:
        """What the eraser does after a full batch: rest until who waits has written."""
        if connection.in_atomic_block:
            self.commits.append(("nobody: the eraser rests and holds the lock", 0))
            return
        self._wrote.clear()  # what he wrote before this batch was over does not count
        self._wants.set()
        assert self._wrote.wait(PATIENCE), "Ben could not write while the eraser rested"
        self.commits.append(("ben", 1))

    def _watch(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if connection.in_atomic_block:
            if not transaction.get_connection().run_on_commit:
                transaction.on_commit(self._note)
            if sql.startswith("DELETE"):
                self._wants.set()  # he begins to wait while the lock is held
        else:
            self._note()
        return done

    def _note(self) -> None:
        changed = self._total() - self._changes
        self._changes += changed
        if changed:
            self.commits.append(("eraser", changed))

    def _total(self) -> int:
        connection.ensure_connection()
        return int(connection.connection.total_changes)

    def _write_when_wanted(self) -> None:
        number = 100
        try:
            while self._wants.wait(PATIENCE) and not self._over:
                self._wants.clear()
                turn = Turn(story=self.story, segment_id=self.story.head_id, position=number, kind=Turn.Kind.DO)
                turn.seal(text="I go on down the stair.").save(force_insert=True)
                number += 1
                self._wrote.set()
        finally:
            connections.close_all()


@pytest.fixture
def ada(vault: None) -> Life:
    """She has more of everything than goes into a batch: stories, branches, turns, drafts, characters."""
    life = make_life("ada")
    story = make_story(life.person, turns=4 * SMALL)
    for at in range(SMALL + 2):
        assert story.head
        fork(story, parent=story.head, at=at + 1, count=1)
    for _ in range(SMALL + 2):
        other = make_story(life.person)
        Draft(story=other, mode="say").seal(text="And then").save(force_insert=True)
        import_character(owner=life.person.pk, data=make.to_json(make.v2()))
    return life


@pytest.fixture
def ben(vault: None) -> Beside:
    story = make_life("ben").story
    assert story.head
    add_turns(story, story.head, first=1, count=3)
    return Beside(story)


def erase(life: Life, beside: Beside, patched: pytest.MonkeyPatch, deed: Callable[[], object] = run_due) -> None:
    """From the point of no return to the last row, with the eyes of somebody else on the database."""
    request_erasure(life.person.pk)
    ErasureRequest.objects.update(due_on=slow_date())
    patched.setattr(batches, "let_others_write", beside.let_in)
    with beside.watching():
        deed()
    assert_gone(life)


def batches_of(rows: int, patched: pytest.MonkeyPatch) -> None:
    """Batches of one size, however fast this machine is."""
    patched.setattr(batches, "SMALLEST", rows)
    patched.setattr(batches, "LARGEST", rows)


def others_had_their_turn(beside: Beside) -> None:
    """No commit of the eraser is longer than a batch, and after each full one the next is somebody else's."""
    commits = beside.commits
    full = [at for at, (who, rows) in enumerate(commits) if who == "eraser" and rows >= SMALL]
    assert len(full) >= 9
    assert max(rows for _, rows in commits) == SMALL
    assert [commits[at + 1] for at in full] == [("ben", 1)] * len(full)


def test_others_write_between_any_two_batches(ada: Life, ben: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns, branches, drafts, stories, characters: after each batch whoever waits writes before the next one."""
    batches_of(SMALL, monkeypatch)
    erase(ada, ben, monkeypatch)
    others_had_their_turn(ben)
    assert Turn.objects.filter(story=ben.story, position__gte=100).count() >= 9


def in_one_transaction() -> None:
    with transaction.atomic():
        run_due()


@pytest.mark.parametrize(("rows", "deed"), [(1_000_000, run_due), (SMALL, in_one_transaction)])
def test_one_transaction_for_everything_is_found(
    ada: Life, ben: Beside, monkeypatch: pytest.MonkeyPatch, rows: int, deed: Callable[[], object]
) -> None:
    """Two planted faults: batches without a bound, and small ones that hold the lock from the first to the last."""
    batches_of(rows, monkeypatch)
    erase(ada, ben, monkeypatch, deed)
    with pytest.raises(AssertionError):
        others_had_their_turn(ben)


def test_a_batch_grows_and_shrinks_to_what_the_lock_may_be_held() -> None:
    """Promise: however slow the disk or heavy the rows, a waiting turn waits for milliseconds."""
    rows_a_second = 40_000
    size = batches.SMALLEST
    for _ in range(10):
        size = batches.fit_batch(size, size / rows_a_second)
    assert size == int(batches.HOLD_SECONDS * rows_a_second)
    assert batches.fit_batch(size, 10 * batches.HOLD_SECONDS) <= max(batches.SMALLEST, size // 10)
    assert batches.fit_batch(size, 0.0) == 2 * size, "never more than twice as many at once"
    assert batches.fit_batch(batches.LARGEST, 0.0) == batches.LARGEST


def test_each_batch_is_as_large_as_the_last_one_allows(ada: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is small; after each its size and how long it took decide."""
    sizes: list[int] = []
    monkeypatch.setattr(batches, "SMALLEST", 2)
    monkeypatch.setattr(batches, "fit_batch", lambda size, took: size + 3 if took > 0 else 0)

    def change(rows: Any) -> int:
        sizes.append(len(rows))
        return int(rows.delete()[0])

    batches.in_batches(Turn.objects.filter(story__owner=ada.person), change)
    assert sizes[:3] == [2, 5, 8]
