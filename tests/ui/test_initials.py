"""The large initial of an opening."""

from __future__ import annotations

import pytest

from mindstage.ui.templatetags.ui import begins_with_letter


@pytest.mark.parametrize("text", ["By the last bell", "“Late,” she says.", "*Élan* lifts the lamp.", "  Ж"])
def test_letters_with_capitals_may_stand_large(text: str) -> None:
    assert begins_with_letter(text)


@pytest.mark.parametrize("text", ["رفعت الفانوس", "灯が落ちる。", "🕯️ burns.", "3 bells", "…", ""])
def test_other_signs_stay_in_their_line(text: str) -> None:
    """A letter that joins its neighbours would be torn off, an emoji would stand as high as two lines."""
    assert not begins_with_letter(text)
