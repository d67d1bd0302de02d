"""A census of a program with faults fails, and says where: each fault alone would be enough."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mindstage.ops.census.census import take_census
from mindstage.ops.census.report import FOUND, Report
from mindstage.ops.census.words import Fate
from system.program import cheap_with

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("census_faults")]  # one process: it is taken once

LEAKY = Path(__file__).parent / "leaky"


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One census of a program with all of them: a run of its own for each would only take longer."""
    report = take_census(tmp_path_factory.mktemp("faulty"), environ=cheap_with(LEAKY), to_the_end=False)
    assert report.void == []
    assert report.exit_code == FOUND
    return report


def only(report: Report, place: str) -> Report:
    """The same report if nothing but what lies in one place had been found."""
    return replace(
        report,
        found={one for one in report.found if place in one.place},
        pictures={one for one in report.pictures if place in one},
        strange={one for one in report.strange if place in one},
        problems=[],
    )


def test_an_unsealed_column_is_found(faulty: Report) -> None:
    """By the name of the column: the title that was typed, and the one that a story has of its character."""
    found = only(faulty, ": stories_story.title")
    assert found.exit_code == FOUND
    assert found.found_slots == {"title", "card, name"}


def test_a_new_column_is_found(faulty: Report) -> None:
    """By the word in it; and without any word, since no model and no data map knows it."""
    found = only(faulty, ": stories_story.teaser")
    assert found.exit_code == FOUND
    assert any(slot.startswith(("turn", "reply")) for slot in found.found_slots)
    assert "Columns that the data map does not know: stories_story.teaser." in faulty.problems
    assert replace(found, found=set(), problems=faulty.problems).exit_code == FOUND


def test_a_logged_turn_is_found(faulty: Report) -> None:
    found = only(faulty, ": terminal.log")
    assert found.exit_code == FOUND
    assert {"turn, say", "turn, edited", "reply to do"} <= found.found_slots


def test_a_cached_text_is_found(faulty: Report) -> None:
    """Though the cache packs it; and its file would be found without a word in it."""
    found = only(faulty, ": data/cache/")
    assert found.exit_code == FOUND
    assert found.found_slots == {"draft"}
    assert all("zlib" in one.way for one in found.found)
    assert replace(found, found=set()).exit_code == FOUND


def test_a_thumbnail_left_behind_is_found(faulty: Report) -> None:
    """It holds no word: it is found as a picture, and as a file of no known kind, which a sealed one would be too."""
    found = only(faulty, ": data/thumbnails/")
    assert found.exit_code == FOUND
    assert found.found == set()
    assert found.pictures
    assert replace(found, pictures=set()).exit_code == FOUND
    assert replace(found, strange=set()).exit_code == FOUND


def test_an_access_log_is_found(faulty: Report) -> None:
    """A log of requests gives away addresses, browsers, cookies, paths and queries: none of them is kept otherwise."""
    log = only(faulty, ": terminal.log")
    told = {"browser, its own address", "browser, User-Agent", "other browser, X-Forwarded-For"}
    assert told | {"query", "wrong path"} <= log.found_slots
    assert [slot for slot in log.found_slots if ", cookie " in slot]
    never = {one.word for one in faulty.planted if one.fate is Fate.NEVER}
    assert {one.place.split(": ")[1] for one in faulty.found if one.word in never} == {"terminal.log"}
