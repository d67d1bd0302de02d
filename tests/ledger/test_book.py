"""The ledger is a chain: it can only grow, and whoever holds a head knows whether a file goes on from it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.ledger import book
from mindstage.ledger.book import Head, Kind, LedgerBroken

DAY = date(2026, 1, 5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    book.begin_book(tmp_path)
    return tmp_path


def test_an_entry_comes_back_as_it_was_written(folder: Path) -> None:
    chain = book.append(folder, kind=Kind.PERSON, tags=["aa"], day=DAY)
    assert book.read_book(folder) == chain
    assert [(entry.kind, entry.tag, entry.day) for entry in chain.entries] == [(Kind.PERSON, "aa", DAY)]


def test_a_longer_ledger_extends_every_head_it_had(folder: Path) -> None:
    """And no ledger extends a head that it never had."""
    heads = [Head()]
    for number in range(5):
        heads.append(book.append(folder, kind=Kind.ITEM, tags=[f"{number:02x}"], day=DAY).head)
    chain = book.read_book(folder)
    assert chain is not None
    assert all(chain.extends(head) for head in heads)
    assert not chain.extends(Head(5, heads[4].hash))
    assert not chain.extends(Head(6, heads[5].hash))


def test_a_line_cut_off_by_a_crash_was_never_written(folder: Path) -> None:
    """The next entry takes its place."""
    book.append(folder, kind=Kind.ITEM, tags=["aa"], day=DAY)
    with (folder / book.NAME).open("ab") as file:
        file.write(b'{"day":"2026-01-05","ki')
    chain = book.append(folder, kind=Kind.ITEM, tags=["bb"], day=DAY)
    assert [entry.tag for entry in chain.entries] == ["aa", "bb"]


@given(st.data())
def test_no_change_to_an_old_line_goes_unnoticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A changed byte, a dropped line or two swapped lines: the file is refused, or no longer extends its head."""
    folder = tmp_path_factory.mktemp("ledger")
    book.begin_book(folder)
    head = book.append(folder, kind=Kind.ITEM, tags=["aa", "bb", "cc"], day=DAY).head
    content = (folder / book.NAME).read_bytes()
    lines = content.splitlines(keepends=True)
    place = data.draw(st.integers(0, len(content) - 2))
    flipped = content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))]) + content[place + 1 :]
    dropped = b"".join(lines[:1] + lines[2:])
    swapped = lines[1] + lines[0] + lines[2]
    for changed in (flipped, dropped, swapped):
        try:
            assert not book.parse(changed).extends(head)
        except LedgerBroken:
            continue


def test_the_file_is_for_its_owner_alone(folder: Path) -> None:
    assert (folder / book.NAME).stat().st_mode & 0o777 == 0o600
