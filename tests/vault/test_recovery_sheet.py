"""The root key on paper: what is typed comes back, and what is mistyped is found by its line."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.vault.recovery_sheet import (
    LINES,
    Mistyped,
    note_sheet,
    read_line,
    read_sheet,
    sheet_lines,
    sheet_made_on,
)

ROOTS = st.binary(min_size=32, max_size=32)
ROOT = bytes(range(32))


def numbered(lines: list[str]) -> str:
    return "\n".join(f"{number}: {line}" for number, line in enumerate(lines, start=1))


@given(ROOTS)
def test_what_stands_on_the_sheet_is_the_key(root: bytes) -> None:
    lines = sheet_lines(root)
    assert len(lines) == LINES
    assert read_sheet(numbered(lines)) == root
    assert b"".join(read_line(at, line) for at, line in enumerate(lines, start=1)) == root


@given(st.data())
def test_one_wrong_digit_is_found_in_its_line(data: st.DataObject) -> None:
    """Whichever digit it is, in the key or in the check. Of a fixed key: one error in 65,536 passes its line, and is
    then found by the epoch file."""
    lines = sheet_lines(ROOT)
    at = data.draw(st.integers(0, LINES - 1))
    digits = [place for place, digit in enumerate(lines[at]) if digit != " "]
    place = data.draw(st.sampled_from(digits))
    other = data.draw(st.sampled_from([digit for digit in "0123456789abcdef" if digit != lines[at][place]]))
    lines[at] = lines[at][:place] + other + lines[at][place + 1 :]
    with pytest.raises(Mistyped) as mistyped:
        read_sheet(numbered(lines))
    assert mistyped.value.line == at + 1
    assert lines[at] not in str(mistyped.value)


def test_lines_that_changed_places_are_found() -> None:
    lines = sheet_lines(ROOT)
    lines[2], lines[3] = lines[3], lines[2]
    with pytest.raises(Mistyped) as mistyped:
        read_sheet(numbered(lines))
    assert mistyped.value.line == 3


def test_a_missing_line_is_named() -> None:
    with pytest.raises(Mistyped) as mistyped:
        read_sheet(numbered(sheet_lines(ROOT)[:-1]))
    assert mistyped.value.line == LINES


@pytest.mark.parametrize("typed", ["", "zz", "1a2b", "ß" * 12, "00 01 02 03", "0" * 500])
def test_what_is_no_line_is_mistyped(typed: str) -> None:
    with pytest.raises(Mistyped):
        read_line(1, typed)


def test_how_it_is_typed_does_not_matter() -> None:
    """Capitals, dashes, no blanks, the letter o for the digit."""
    line = sheet_lines(ROOT)[0]
    for typed in (line.upper(), line.replace(" ", ""), line.replace(" ", "-"), line.replace("0", "O"), f"  {line}\t"):
        assert read_line(1, typed) == ROOT[:4]


def test_that_a_sheet_was_made_is_a_day_and_nothing_else(tmp_path: Path) -> None:
    assert sheet_made_on(tmp_path) is None
    note_sheet(tmp_path, date(2026, 3, 1))
    assert sheet_made_on(tmp_path) == date(2026, 3, 1)
    (made,) = tmp_path.iterdir()
    assert made.read_text() == "2026-03-01\n"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
