"""Sealed values open where they belong, and nowhere else."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.vault.sealing import OVERHEAD, Unreadable, open_any, open_sealed, place, seal

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
ROW, STORY = uuid.uuid4(), uuid.uuid4()
HERE = place("stories_turn", "text", ROW, STORY)


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens_again(plain: bytes) -> None:
    """Any bytes come back whole, and cost a fixed number of bytes more."""
    sealed = seal(KEY, plain, HERE)
    assert open_sealed(KEY, sealed, HERE) == plain
    assert len(sealed) == len(plain) + OVERHEAD


@pytest.mark.parametrize(
    "elsewhere",
    [
        place("stories_turn", "text", uuid.uuid4(), STORY),
        place("stories_turn", "text", ROW, uuid.uuid4()),
        place("stories_turn", "title", ROW, STORY),
        place("stories_story", "text", ROW, STORY),
        place("stories_turn", "text", ROW, STORY, version=2),
    ],
    ids=["row", "owner", "column", "table", "version"],
)
def test_a_value_moved_elsewhere_is_unreadable(elsewhere: bytes) -> None:
    """Another row, owner, column, table or version does not open it."""
    with pytest.raises(Unreadable):
        open_sealed(KEY, seal(KEY, b"the ninth lamp", HERE), elsewhere)


def test_one_key_opens_its_own_among_many() -> None:
    """By number, whatever stands before and after them; what is of another suite or bound elsewhere stays shut."""
    own, others = seal(KEY, b"the ninth lamp", HERE), seal(OTHER, b"x", HERE)
    foreign = b"\x02" + own[1:]
    tries = [(others, HERE), (own, HERE), (own, HERE + b"."), (foreign, HERE), (own, HERE)]
    assert list(open_any(KEY, tries)) == [(1, b"the ninth lamp"), (4, b"the ninth lamp")]


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(Unreadable):
        open_sealed(OTHER, seal(KEY, b"x", HERE), HERE)


@given(st.integers(min_value=0, max_value=39), st.integers(min_value=1, max_value=255))
def test_one_changed_byte_is_noticed(at: int, flip: int) -> None:
    """A flip anywhere in the blob, head and tag included, is refused."""
    sealed = bytearray(seal(KEY, b"0123456789", HERE))
    sealed[at % len(sealed)] ^= flip
    with pytest.raises(Unreadable):
        open_sealed(KEY, bytes(sealed), HERE)


def test_two_seals_of_one_text_differ() -> None:
    assert seal(KEY, b"same", HERE) != seal(KEY, b"same", HERE)


def test_a_sealed_value_does_not_print_itself() -> None:
    assert repr(seal(KEY, b"same", HERE)) == f"<Sealed {4 + OVERHEAD} bytes>"
