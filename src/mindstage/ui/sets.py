"""The eight stage sets of a cover. Each takes the dice and a palette and answers the SVG shapes, back to front.

The order in which the dice are thrown is the recipe: a throw more or less would redraw every cover of that set.
"""

from collections.abc import Callable
from math import cos, sin

from .dice import number, tenth
from .palettes import Palette

Dice = Callable[[], float]


def disc(x: float, y: float, radius: float, colour: str, opacity: float = 1) -> str:
    return f'<circle cx="{tenth(x)}" cy="{tenth(y)}" r="{tenth(radius)}" fill="{colour}" opacity="{number(opacity)}"/>'


def rect(x: float, y: float, width: float, height: float, colour: str, opacity: float = 1) -> str:
    return (
        f'<rect x="{tenth(x)}" y="{tenth(y)}" width="{tenth(width)}" height="{tenth(height)}" '
        f'fill="{colour}" opacity="{number(opacity)}"/>'
    )


def path(shape: str, colour: str, opacity: float = 1) -> str:
    return f'<path d="{shape}" fill="{colour}" opacity="{number(opacity)}"/>'


def glow(x: float, y: float, radius: float, colour: str) -> str:
    return disc(x, y, radius * 2.1, colour, 0.10) + disc(x, y, radius * 1.5, colour, 0.16) + disc(x, y, radius, colour)


def ridge(r: Dice, y: float, height: float, peaks: int = 9) -> str:
    shape = f"M0 360V{tenth(y + (r() - 0.5) * height)}"
    for i in range(1, peaks + 1):
        shape += f"L{tenth(i * 240 / peaks)} {tenth(y + (r() - 0.5) * height * (1.6 if i % 2 else 0.7))}"
    return shape + "V360Z"


def swell(y: float, height: float, waves: int) -> str:
    width = 240 / waves
    wave = f"q{tenth(width / 4)} {tenth(-height)} {tenth(width / 2)} 0t{tenth(width / 2)} 0"
    return f"M0 360V{number(y)}{wave * waves}V360Z"


def sea(r: Dice, p: Palette) -> str:
    x = 70 + r() * 100
    sun = 26 + r() * 10
    out = rect(0, 150, 240, 80, p.low, 0.55) + glow(x, 206, sun, p.light) + rect(0, 222, 240, 138, p.mid)
    for i in range(9):
        width = sun * 2 - i * 4 + r() * 14
        out += rect(x - width / 2 + (r() - 0.5) * 8, 228 + i * 8, width, 2.4, p.light, 0.75 - i * 0.07)
    out += path(swell(282, 10, 3), p.far, 0.35) + path(swell(306, 12, 2), p.near, 0.75) + path(swell(330, 9, 4), p.near)
    boat = f"M{tenth(x + 24)} 292l34 0l-7 12h-20zM{tenth(x + 40)} 290V252l20 34z"
    return out + path(boat, p.near)


def ridges(r: Dice, p: Palette) -> str:
    x = 60 + r() * 120
    out = rect(0, 170, 240, 190, p.low, 0.5) + glow(x, 178, 20 + r() * 12, p.light)
    out += path(ridge(r, 216, 56, 7), p.far, 0.7) + path(ridge(r, 252, 48, 8), p.low)
    return out + path(ridge(r, 288, 40, 9), p.mid) + path(ridge(r, 326, 22, 11), p.near)


def city(r: Dice, p: Palette) -> str:
    out = glow(50 + r() * 140, 168, 15 + r() * 9, p.light)
    out += _houses(r, 300, p.far, 0.55, None) + _houses(r, 318, p.mid, 1, p.light)
    out += rect(0, 322, 240, 38, p.near)
    for i in range(4):
        out += path(f"M{i * 64 - 10} 362v-22a26 26 0 0 1 52 0v22z", p.low, 0.8)
    return out


def _houses(r: Dice, y: float, colour: str, opacity: float, lit: str | None) -> str:
    out, x = "", -6.0
    while x < 240:
        width = 16 + r() * 22
        height = 30 + r() * 86
        top = y - height
        out += rect(x, top, width, 360 - top, colour, opacity)
        if r() > 0.55:
            rise = tenth(-10 - r() * 22)
            fall = tenth(10 + r() * 0)  # the throw is kept although it counts for nothing: it is part of the recipe
            half = tenth(width / 2)
            out += path(f"M{tenth(x)} {tenth(top)}l{half} {rise}l{half} {fall}z", colour, opacity)
        for _ in range(3 if lit else 0):
            if r() > 0.45:
                out += rect(x + 4 + r() * (width - 10), top + 10 + r() * height * 0.7, 3, 5.5, lit or "", 0.9)
        x += width + 1
    return out


def forest(r: Dice, p: Palette) -> str:
    out = rect(0, 140, 240, 220, p.low, 0.45) + glow(120 + (r() - 0.5) * 60, 236, 22, p.light)
    out += _trunks(r, 11, 5, p.far, 0.55) + _trunks(r, 7, 9, p.mid, 0.95)
    out += path(swell(322, 7, 3), p.mid) + _trunks(r, 4, 15, p.near, 1) + path(swell(340, 8, 2), p.near)
    return out + f'<path d="M0 120H240V150Q180 138 120 148T0 146Z" fill="{p.sky}"/>'


def _trunks(r: Dice, count: int, width: float, colour: str, opacity: float) -> str:
    out = ""
    for i in range(count):
        x = (i + r() * 0.7) * 240 / count
        wide = width * (0.6 + r() * 0.7)
        shape = f"M{tenth(x)} 128L{tenth(x + wide * 0.5)} 128L{tenth(x + wide)} 360H{tenth(x - wide * 0.4)}Z"
        out += path(shape, colour, opacity)
    return out


def arches(r: Dice, p: Palette) -> str:
    out, centre = "", 120 + (r() - 0.5) * 30
    for i, colour in enumerate((p.near, p.mid, p.low, p.far)):
        wide, top, x = 96 - i * 19, 150 + i * 27, 120 + (centre - 120) * i / 3
        rise = tenth(top + wide * 0.72)
        arc = f"A{wide} {tenth(wide * 0.72)} 0 0 1 {tenth(x + wide)} {rise}"
        out += path(f"M{tenth(x - wide)} 360V{rise}{arc}V360Z", colour)
    left, right = tenth(centre - 24), tenth(centre + 24)
    out += path(f"M{left} 360V276a24 24 0 0 1 48 0V360Z", p.light, 0.92)
    out += path(f"M{left} 360h48l64 0L{right} 334h-48L{tenth(centre - 92)} 360z", p.light, 0.22)
    return out + path(f"M{tenth(centre - 4)} 336v-22a4.5 4.5 0 1 1 8 0v22l3 16h-14z", p.near)


def stairs(r: Dice, p: Palette) -> str:
    rightwards = r() > 0.5
    door = 166 if rightwards else 42
    out = rect(0, 150, 240, 210, p.low, 0.4)
    out += path(f"M{door} 226V186a16 16 0 0 1 32 0v40z", p.light) + disc(door + 16, 204, 46, p.light, 0.12)
    steps = (p.far, p.low, p.mid, p.mid, p.mid, p.near, p.near, p.near)
    for i, colour in enumerate(steps):
        y = 226 + i * 17
        start, end = (148 - i * 21, 250) if rightwards else (-10, 92 + i * 21)
        out += rect(start, y, end - start, 140, colour) + rect(start, y, end - start, 2, p.light, 0.5 - i * 0.055)
    return out


def orbits(r: Dice, p: Palette) -> str:
    x, y = 120 + (r() - 0.5) * 50, 262
    out = rect(0, 150, 240, 210, p.low, 0.35)
    for i in range(6, 0, -1):
        colour, width = (p.light, "0.8") if i % 2 else (p.far, "1.6")
        out += (
            f'<circle cx="{tenth(x)}" cy="{y}" r="{i * 19 + 8}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}" opacity=".75"/>'
        )
    for i in range(1, 6):
        angle, far = r() * 6.28, i * 19 + 8
        size = 2.5 + r() * 5
        out += disc(x + cos(angle) * far, y + sin(angle) * far, size, p.light if i % 2 else p.far)
    return out + glow(x, y, 13, p.light) + path(ridge(r, 340, 16, 12), p.near)


def house(r: Dice, p: Palette) -> str:
    x = 70 + r() * 80
    out = rect(0, 160, 240, 200, p.low, 0.5) + disc(x + 30, 212, 56, p.light, 0.9)
    out += path(swell(262, 16, 1), p.far, 0.75) + path(swell(290, 14, 2), p.mid)
    out += path(f"M{tenth(x)} 300v-58l5-12h3v-14h14v14h3l5 12v58z", p.near)
    out += path(f"M{tenth(x + 30)} 300v-30l17-15l17 15v30z", p.near)
    out += rect(x + 11, 222, 8, 7, p.light) + rect(x + 42, 278, 7, 10, p.light, 0.9)
    return out + path("M0 360V306Q60 284 120 298T240 296V360Z", p.near)


SETS = (sea, ridges, city, forest, arches, stairs, orbits, house)
