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


def test_a_reply_is_long_enough_before_its_tokens_run_out() -> None:
    """At 4.2 characters a token, a fifth of the tokens is left for the last sentence."""
    assert long_enough(240) / 4.2 < 240 * 0.85
