"""Counting without a tokenizer."""

from __future__ import annotations

import pytest
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


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ('Ilse Varga set the lantern down. "You are late," she said, "and you have brought the rain with you."', 28),
        ("Adaeze Holm, Brenda Oakshott and Marit Sool met at 23:45 on the 17th; nobody counted the 1,204 crates.", 43),
        ("The quartermaster's boots—wet, unlaced—stood by the stove; somewhere below, the bilge pump coughed…", 28),
        ("“Nothing,” said Xanthippe. ‘Nothing at all?’ She’d have laughed, if the ice hadn’t been so thin.", 30),
        ("STOP. Do NOT open the hatch! (It isn't locked.)\n\n* * *\n\nMorning came anyway.", 26),
        ("Der Schlüssel lag unter der Fußmatte, aber niemand öffnete die Tür.", 29),
        ("彼女は窓を開けて、雨の音を聞いた。", 32),
    ],
)
def test_it_stays_above_a_real_tokenizer(text: str, true: int) -> None:
    """The true counts are SmolLM2's (49k entries, every digit alone)."""
    assert true <= conservative(text) <= 2 * true
