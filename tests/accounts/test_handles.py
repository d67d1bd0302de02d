"""Which handles there are, and which are one and the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.accounts.handles import LONGEST, canon, check_handle, handle_tag
from mindstage.accounts.refused import Refused


@pytest.mark.parametrize(
    "handle",
    [
        "ada",
        "Ada Lovelace",
        "zoë",
        "Ægir",
        "m.k-9_x",
        "Straße",
        "Ελένη",
        "Антон",
        "Їжак",
        "Nguyễn",
        "42",
        "x" * LONGEST,
    ],
)
def test_names_of_people_are_taken_as_they_are(handle: str) -> None:
    """Latin, Greek and Cyrillic names with their diacritics are handles."""
    assert check_handle(handle) == handle


@pytest.mark.parametrize(
    ("handle", "why"),
    [
        ("a", "short"),
        ("", "empty"),
        ("x" * (LONGEST + 1), "long"),
        ("аda", "Cyrillic a among Latin letters"),
        ("αda", "Greek among Latin letters"),
        ("раураӏ", "whole word of Cyrillic look-alikes"),
        ("АНТОН", "capitals that look Latin"),
        ("ΑΝΝΑ", "Greek capitals that look Latin"),
        ("ɑda", "a phonetic letter"),
        ("ad\u200ba", "zero width space"),
        ("ad\u200da", "joiner"),
        ("\u202eada", "direction override"),
        ("ad\x00a", "NUL"),
        ("a\nda", "line break"),
        ("ada  b", "two spaces"),
        ("-ada", "begins with a mark"),
        ("a\u0301\u0301\u0301da", "stacked marks"),
        ("ad\ud800", "half of a character"),
        ("ad😀", "picture"),
        ("ada@example", "a mark that is not on the list"),
        ("١٢٣", "digits of another script"),
    ],
)
def test_what_could_be_mistaken_or_is_no_name_is_refused(handle: str, why: str) -> None:
    """No handle looks like another's, hides characters or breaks a line."""
    with pytest.raises(Refused) as caught:
        check_handle(handle)
    assert caught.value.field == "handle"


def test_surrounding_space_and_width_do_not_count() -> None:
    """What is shown is normalised and trimmed."""
    assert check_handle("  Ａｄａ ") == "Ada"


@pytest.mark.django_db(databases=["default", "keystore"])
@pytest.mark.usefixtures("vault")
def test_case_width_and_composition_have_one_tag() -> None:
    """Two spellings of one name are found by one tag, which needs the instance's key."""
    tags = {handle_tag(one) for one in ("Zoë", "zoë", "ZOE\u0308", "Ｚｏë", " zoë ")}
    assert len(tags) == 1
    assert handle_tag("Straße") == handle_tag("STRASSE")
    assert handle_tag("zoe") not in tags


@given(st.text(max_size=60))
def test_canon_is_stable(text: str) -> None:
    """Folding what is folded changes nothing."""
    assert canon(canon(text)) == canon(text)


@given(st.text(max_size=40))
def test_any_text_is_a_handle_or_refused(text: str) -> None:
    """Nothing else is ever raised, and what passes is short, printable and stable."""
    try:
        shown = check_handle(text)
    except Refused:
        return
    assert shown.isprintable()
    assert 2 <= len(shown) <= LONGEST
    assert check_handle(shown) == shown
