"""Cutting texts, and counting without a tokenizer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.prompts.budget import Meter, keep_end, keep_start, limit_words
from mindstage.prompts.inputs import Budget, Overheads
from mindstage.prompts.tokens import conservative
from prompts.worlds import words

TEXT = 'One two three. Four "five six." Seven eight nine ten'


@pytest.mark.parametrize(
    ("tokens", "kept"),
    [(99, TEXT), (9, 'One two three. Four "five six."'), (5, "One two three."), (2, "One two…"), (0, "")],
)
def test_beginnings_end_at_sentences(tokens: int, kept: str) -> None:
    """A cut beginning is whole sentences, or words with an ellipsis."""
    assert keep_start(TEXT, tokens=tokens, count=words) == kept


@pytest.mark.parametrize(
    ("tokens", "kept"),
    [(99, "a b c\n\nd e f\ng"), (6, "… d e f\ng"), (4, "… e f\ng"), (2, "… g"), (1, "g"), (0, "")],
)
def test_ends_begin_at_paragraphs_or_words(tokens: int, kept: str) -> None:
    """A cut end is marked, and keeps whole paragraphs where that does not waste the room."""
    assert keep_end("a b c\n\nd e f\ng", tokens=tokens, count=words) == kept


@given(st.text(), st.integers(-3, 30), st.sampled_from([len, words, conservative]))
def test_cuts_fit(text: str, tokens: int, count: object) -> None:
    """Whatever the text and the counter, what is kept fits."""
    assert callable(count)
    for cut in (keep_start, keep_end):
        assert count(cut(text, tokens=tokens, count=count)) <= max(tokens, 0) or tokens < 0


def test_words_are_limited_at_a_sentence() -> None:
    """A small model's card ends where a sentence ends."""
    assert limit_words(TEXT, 7) == 'One two three. Four "five six."'
    assert limit_words(TEXT, 3) == "One two three."
    assert limit_words("one two", 2) == "one two"


def test_each_text_is_counted_once() -> None:
    """The meter asks its counter once for each text."""
    asked: list[str] = []
    meter = Meter(lambda text: len(asked.append(text) or text), Overheads(4, 4, 4))
    assert [meter.tokens("abc"), meter.message("abc"), meter.tokens("")] == [3, 7, 0]
    assert asked == ["abc"]


def test_a_budget_without_room_is_refused() -> None:
    """A reply's reserve may not swallow the context."""
    with pytest.raises(ValueError, match="at least"):
        Budget(context=200, reply=199)
