"""A long reply ends where a sentence does."""

from __future__ import annotations

import pytest

from mindstage.prompts.endings import ends_sentence, long_enough


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
    assert ends_sentence(text)


@pytest.mark.parametrize(
    "text", ["", "She has", "“Come in.", 'He said "no.', "one, two,", "Then:\n", "She left. And then"]
)
def test_a_sentence_or_a_quotation_left_open_is_no_end(text: str) -> None:
    assert not ends_sentence(text)


def test_a_reply_is_long_enough_before_its_tokens_run_out() -> None:
    """At 4.2 characters a token, a fifth of the tokens is left for the last sentence."""
    assert long_enough(240) / 4.2 < 240 * 0.85
