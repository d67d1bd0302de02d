"""docs/settings.md names every setting there is, and no other."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from mindstage.config.configuration import Configuration, ProviderEntry

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
FOUND_BY_THE_PROGRAM = {"providers", "config_file"}


def rows(page: str) -> list[tuple[list[str], str]]:
    """The names in a row's first column, and what stands in the second."""
    lines = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    return [(re.findall(r"`([a-z_]+)`", cells[1]), cells[2]) for cells in lines]


def names_of(kind: type[Any]) -> set[str]:
    return {field.name for field in fields(kind)} - FOUND_BY_THE_PROGRAM


def test_every_setting_is_there_and_no_other() -> None:
    told = [name for names, _ in rows(PAGE.read_text()) for name in names]
    assert set(told) == names_of(Configuration) | names_of(ProviderEntry)
    assert sorted(told) == sorted([*names_of(Configuration), *names_of(ProviderEntry)])


def test_a_number_is_the_one_that_the_program_goes_by() -> None:
    told = {name: without for names, without in rows(PAGE.read_text()) if len(names) == 1 for name in names}
    for field in (*fields(Configuration), *fields(ProviderEntry)):
        number = field.default
        if field.name in told and isinstance(number, int | float) and not isinstance(number, bool) and number:
            assert told[field.name].strip() == f"{number:g}", field.name
