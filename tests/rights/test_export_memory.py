"""An archive of any size is written and read with the memory of a few blocks."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from mindstage.accounts.models import User
from mindstage.rights import export
from mindstage.rights.archive import Archive
from mindstage.rights.export_models import Export
from mindstage.rights.importing import bring_archive
from mindstage.stories.editions import data, opening
from mindstage.stories.models import Story, Turn
from people import make_person
from stories.scenes import add_turns, make_story

pytestmark = [pytest.mark.drill, pytest.mark.django_db(databases=["default", "keystore"])]

SMALL, LARGE, TENFOLD = 1_000, 4_000, 10_000
"""Turns. What is kept whole is scaled down with them: parts of 64 KB, pages of 200 rows."""


@pytest.fixture
def scaled(vault: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(data, "PART_BYTES", 65_536)
    monkeypatch.setattr(opening, "PAGE", 200)
    yield
    for path in export.folder().glob("*"):
        path.unlink()


def peak_of[T](act: Callable[[], T]) -> tuple[int, T]:
    """The most memory that `act` had at once, in bytes."""
    tracemalloc.start()
    try:
        result = act()
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()


def write(person: User) -> Export:
    asked = export.request_export(owner=person.pk)
    export.write_export(asked.pk)
    return Export.objects.get(pk=asked.pk)


def person_with(handle: str, turns: int) -> User:
    person = make_person(handle)
    story = make_story(person)
    assert story.head
    add_turns(story, story.head, first=1, count=turns - 1)
    return person


def test_the_peak_does_not_grow_with_the_archive(scaled: None) -> None:
    """Ten times the turns, as 2 GB are to 0.2: the same peak, writing and sending."""
    people = [person_with("small", SMALL), person_with("large", TENFOLD)]
    write(person_with("warm", 10))
    (small, first), (large, second) = (peak_of(lambda person=person: write(person)) for person in people)  # type: ignore[misc]
    assert second.size > 7 * first.size
    assert large < 1.3 * small + 330_000
    read = [peak_of(lambda one=one: sum(map(len, export.read_export(one)))) for one in (first, second)]  # type: ignore[misc]
    assert read[1][0] < read[0][0] + 130_000
    assert [size for _, size in read] == [first.size, second.size]


def test_bringing_in_does_not_hold_the_archive(scaled: None) -> None:
    """An import reads part by part as well: the peak follows a batch of rows, not the story."""
    people = [person_with("small", SMALL), person_with("large", LARGE)]
    archives = [io.BytesIO(b"".join(export.read_export(write(person)))) for person in people]
    takers = [make_person("first"), make_person("second")]
    bring_archive(owner=takers[0].pk, file=io.BytesIO(archives[0].getvalue()))
    peaks = [
        peak_of(lambda taker=taker, file=file: bring_archive(owner=taker.pk, file=file))[0]  # type: ignore[misc]
        for taker, file in zip(takers, archives, strict=True)
    ]
    assert peaks[1] < 1.5 * peaks[0] + 500_000
    story = Story.objects.get(owner=takers[1])
    assert Turn.objects.filter(story=story).count() == LARGE
    assert Archive(archives[1]).names()
