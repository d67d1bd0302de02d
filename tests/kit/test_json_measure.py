"""What strangers send is measured before it is parsed, and measuring costs one pass whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.kit.json_measure import TooDeep, TooMany, measure_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)
MIB = 1 << 20


def measured(value: Any) -> tuple[int, int]:
    """Levels, and values and names, by another way: the parsed value itself."""
    if isinstance(value, list | dict):
        inner = [measured(item) for item in (value.values() if isinstance(value, dict) else value)]
        names = len(value) if isinstance(value, dict) else 0
        return 1 + max((depth for depth, _ in inner), default=0), 1 + names + sum(count for _, count in inner)
    return 0, 1


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_the_limits_are_met_exactly(value: Any, plain: bool, indent: int | None) -> None:
    """Whatever the JSON holds: its own measure passes, one less of either is refused."""
    text = json.dumps(value, ensure_ascii=plain, indent=indent)
    depth, count = measured(value)
    measure_json(text, deepest=depth, most=count)
    with pytest.raises(TooMany):
        measure_json(text, deepest=depth, most=count - 1)
    if depth:
        with pytest.raises(TooDeep):
            measure_json(text, deepest=depth - 1, most=count)


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * (MIB // 2),
        '"' + "\\" * MIB,
        '"' + "\\" * (MIB + 1),
        '"' + "a" * MIB,
        '\\"' * (MIB // 2),
        '{"' + '\\"{' * (MIB // 3),
    ],
    ids=["escaped quotes", "backslashes", "one backslash more", "letters", "outside", "braces"],
)
def test_a_string_that_never_ends_is_read_once(text: str) -> None:
    """A mebibyte of it: were each quotation mark the start of another search for an end, this would take hours."""
    measure_json(text, deepest=1, most=MIB)


def test_what_closes_too_often_is_left_to_the_parser() -> None:
    measure_json("]" * 10 + "[" * 1_000, deepest=1, most=1)
