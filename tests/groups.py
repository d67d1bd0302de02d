"""Which tests run in one process, which begin first, and which run on SQLite alone."""

from __future__ import annotations

import os

import pytest

FIRST = (("xdist_group",), ("drill", "system"))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks: what is marked later is in no group, and nothing says so
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares something costly goes to one process, which then makes it once.

    All that runs the embedded model: two of them at once would only slow each other. A module that opens a browser.
    What goes to one process begins first, then drills and whole programs: what takes long and begins last keeps a core
    waiting. With TEST_POSTGRES, what asks for no database is left out: a server changes nothing for it.
    """
    if os.environ.get("TEST_POSTGRES"):
        leave_out(items)
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        if item.get_closest_marker("narrator"):
            item.add_marker(pytest.mark.xdist_group("narrator"))
        elif item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=place)


def leave_out(items: list[pytest.Item]) -> None:
    """Deselect whatever needs neither a database of the tests nor a program or a store of its own."""
    kept = [item for item in items if asks_for_database(item)]
    gone = [item for item in items if not asks_for_database(item)]
    if gone:
        gone[0].config.hook.pytest_deselected(items=gone)
    items[:] = kept


def asks_for_database(item: pytest.Item) -> bool:
    """By its marks, or by the fixtures that it uses, and those that they use."""
    marked = any(map(item.get_closest_marker, ("django_db", "drill", "system")))
    return marked or not {"db", "transactional_db"}.isdisjoint(getattr(item, "fixturenames", ()))


def place(item: pytest.Item) -> int:
    """Its place in the order: what is in a group, what is long by itself, all else."""
    return next((at for at, names in enumerate(FIRST) if any(map(item.get_closest_marker, names))), len(FIRST))
