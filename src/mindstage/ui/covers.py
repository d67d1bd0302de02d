"""Covers drawn from a title alone: hash, palette, stage set, dice. Same title, same cover, for ever."""

from dataclasses import dataclass

from .dice import hash_name, roll
from .palettes import PALETTES
from .sets import SETS, disc, rect


@dataclass(frozen=True, slots=True)
class Cover:
    """A drawn cover: `svg` markup (240 x 360, safe), `palette` 0..7 (class `cover--pN` sets the ink of the title)."""

    svg: str
    palette: int


# Titles are a person's words: no cache may keep them longer than the page needs them.
def draw_cover(title: str) -> Cover:
    """The cover of `title`. About 0.1 ms."""
    seed = hash_name(title)
    dice, index = roll(seed), (seed >> 8) % 8
    palette = PALETTES[index]
    sky = rect(0, 0, 240, 360, palette.sky)
    if int(palette.sky[1:3], 16) < 128:
        for _ in range(26):
            sky += disc(dice() * 240, dice() * 190, 0.5 + dice() * 0.7, palette.light, 0.35 + dice() * 0.4)
    shapes = SETS[(seed >> 20) % 8](dice, palette)
    opening = '<svg viewBox="0 0 240 360" preserveAspectRatio="xMidYMax slice" aria-hidden="true" focusable="false">'
    return Cover(svg=f"{opening}{sky}{shapes}</svg>", palette=index)
