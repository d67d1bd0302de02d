"""A long reply ends where a sentence does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.prompts.endings import SentenceWatch, long_enough


@pytest.mark.parametrize(
    "text",
    [
        "She left.",
        "“Who is there?”",
        'He said "no."',
        "It rang…",
        "A door!\n\nIt closed.",
        "*He bows.*",
        "(So he said.)",
    ],
)
def test_the_end_of_a_sentence_is_one(text: str) -> None:
    assert SentenceWatch(text).at_end()


@pytest.mark.parametrize(
    "text", ["", "She has", "“Come in.", 'He said "no.', "one, two,", "Then:\n", "She left. And then"]
)
def test_a_sentence_or_a_quotation_left_open_is_no_end(text: str) -> None:
    assert not SentenceWatch(text).at_end()


@given(st.lists(st.text('ab .!\n"”“*)', max_size=6), max_size=12))
def test_pieces_end_where_their_text_does(pieces: list[str]) -> None:
    """However a text is cut into pieces, its end is the end of a sentence or is none."""
    watch = SentenceWatch()
    for piece in pieces:
        watch.feed(piece)
    assert watch.at_end() is SentenceWatch("".join(pieces)).at_end()


@given(st.lists(st.text('ab .!\n"”“*)', max_size=6), max_size=12), st.integers(0, 40))
def test_a_text_ends_within_a_piece_as_it_does_at_its_edge(pieces: list[str], free: int) -> None:
    """Many words come at once from a fast provider: the reply ends where the first sentence does, not in the middle
    of the next; and what is told is always a beginning of what came."""
    watch, told = SentenceWatch(), ""
    for piece in pieces:
        taken, ends = watch.take(piece, free=free - len(told))
        told += taken
        if ends:
            assert len(told) >= free
            assert SentenceWatch(told).at_end()
            break
        assert taken == piece
    else:
        assert len(told) < free or not SentenceWatch(told).at_end()
    assert "".join(pieces).startswith(told)


@pytest.mark.parametrize(
    ("piece", "free", "told"),
    [
        ("She left. And then he. Came", 0, "She left."),
        ("She left. And then he. Came", 12, "She left. And then he."),
        ("“Come in. Now.” She said no. X", 0, "“Come in. Now.”"),
        ("It costs 3.50 in all. No", 0, "It costs 3.50 in all."),
    ],
)
def test_the_first_end_past_what_is_free(piece: str, free: int, told: str) -> None:
    assert SentenceWatch().take(piece, free=free) == (told, True)


def test_a_reply_is_long_enough_before_its_tokens_run_out() -> None:
    """At 4.2 characters a token, a fifth of the tokens is left for the last sentence."""
    assert long_enough(240) / 4.2 < 240 * 0.85
