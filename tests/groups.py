"""Which tests run in one process, and which begin first."""

from __future__ import annotations

import pytest

FIRST = (("xdist_group",), ("drill", "system"))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks: what is marked later is in no group, and nothing says so
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares something costly goes to one process, which then makes it once.

    All that runs the embedded model: two of them at once would only slow each other. A module that opens a browser.
    What goes to one process begins first, then drills and whole programs: what takes long and begins last keeps a core
    waiting.
    """
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        if item.get_closest_marker("narrator"):
            item.add_marker(pytest.mark.xdist_group("narrator"))
        elif item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=place)


def place(item: pytest.Item) -> int:
    """Its place in the order: what is in a group, what is long by itself, all else."""
    return next((at for at, names in enumerate(FIRST) if any(map(item.get_closest_marker, names))), len(FIRST))
