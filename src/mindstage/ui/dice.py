"""The two small number recipes behind covers and portraits, exact to the bit.

A title must give the same picture on every machine, for ever, so everything here is 32-bit integer arithmetic:
FNV-1a (https://www.rfc-editor.org/rfc/rfc9923) with a house seed and a short finish, and mulberry32 (Tommy Ettinger).
"""

from collections.abc import Callable
from math import floor

MASK = 0xFFFFFFFF
HOUSE_SEED = 2166142793  # changing it would redraw every cover there is


def hash_name(name: str) -> int:
    """A 32-bit number for `name`: FNV-1a over its code points, then mixed so that near names differ in high bits."""
    value = HOUSE_SEED
    for character in name:
        value = ((value ^ ord(character)) * 16777619) & MASK
    value ^= value >> 15
    value = (value * 2246822519) & MASK
    return value ^ (value >> 13)


def roll(seed: int) -> Callable[[], float]:
    """A generator of numbers in [0, 1) that repeats for the same seed (mulberry32)."""
    state = seed

    def draw() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & MASK
        mixed = ((state ^ (state >> 15)) * (1 | state)) & MASK
        mixed = ((mixed + (((mixed ^ (mixed >> 7)) * (61 | mixed)) & MASK)) ^ mixed) & MASK
        return (mixed ^ (mixed >> 14)) / 4294967296

    return draw


def tenth(value: float) -> str:
    """`value` to one decimal place, halves upwards, written as briefly as possible."""
    return number(floor(value * 10 + 0.5) / 10)


def number(value: float) -> str:
    """The shortest text that reads back as `value`; whole numbers have no point."""
    return str(int(value)) if value == int(value) else repr(value)
