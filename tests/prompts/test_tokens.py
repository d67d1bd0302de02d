"""Counting without a tokenizer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mindstage.prompts.tokens import conservative


@given(st.text(alphabet=st.characters(min_codepoint=128, exclude_categories=("Zs", "Zl", "Zp", "Cc"))))
def test_other_scripts_cost_their_bytes(text: str) -> None:
    """No byte-level tokenizer needs more tokens than bytes."""
    assert conservative(text) == len(text.encode("utf-8", "surrogatepass"))


@given(st.text(), st.text())
def test_more_text_never_costs_less(one: str, other: str) -> None:
    """Joining two texts costs no less than the larger of them."""
    assert conservative(f"{one}\n{other}") >= max(conservative(one), conservative(other))
