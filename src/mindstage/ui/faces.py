"""Portraits drawn from a name alone: one light from the left, half the face in shade. Same palettes as the covers."""

from .dice import hash_name, number, roll, tenth
from .palettes import PALETTES, Palette

SKINS = (
    ("#f1cfae", "#d9ab85"),
    ("#e0ac82", "#bd8259"),
    ("#b97e55", "#935d3b"),
    ("#8a5738", "#663c25"),
    ("#f5dcc4", "#dcb696"),
)
HAIRS = ("#241913", "#4b2d1c", "#8b8780", "#a5642d", "#1b1c22", "#d3c7b4")


def draw_face(name: str) -> str:
    """SVG markup (64 x 64, safe) of the portrait of `name`."""
    seed = hash_name(name)
    palette = PALETTES[(seed >> 8) % 8]
    skin, shade = SKINS[(seed >> 14) % 5]
    hair = HAIRS[(seed >> 18) % 6]
    coat = (palette.near, palette.mid, palette.far)[(seed >> 23) % 3]
    width = 11.5 + roll(seed)() * 2.5
    cap = _caps(width, hair, palette)[(seed >> 26) % 5]
    wide = tenth(width)
    drawing = (
        '<svg viewBox="0 0 64 64" aria-hidden="true" focusable="false">'
        f'<rect width="64" height="64" fill="{palette.low}"/>'
        f'<circle cx="22" cy="24" r="26" fill="{palette.light}" opacity=".22"/>'
        f'<path d="M6 64C8 50 18 48 26 46h12c8 2 18 4 20 18Z" fill="{coat}"/>'
        f'<path d="M26 38h12v9c-2 4-10 4-12 0z" fill="{shade}"/>'
        f'<ellipse cx="32" cy="30" rx="{wide}" ry="14.500" fill="{skin}"/>'
        f'<path d="M32 15.500A{wide} 14.500 0 0 1 32 44.500C35 40 30.500 37 34 33C36 30 31 26 32 15.500Z"'
        f' fill="{shade}"/>'
        f"{cap}</svg>"
    )
    return drawing.replace(".500", ".5")  # also inside longer fractions: the recipe has always done so


def _caps(w: float, hair: str, palette: Palette) -> tuple[str, ...]:
    """Five heads of hair or hats for a head of half-width `w`."""

    def left(offset: float) -> str:
        return number(32 - w + offset)

    def right(offset: float) -> str:
        return number(32 + w + offset)

    def path(shape: str) -> str:
        return f'<path d="{shape}" fill="{hair}"/>'

    # `32 - w - 1.5` and `32 - w + -1.5` are the same double, so one helper serves both signs.
    return (
        path(
            f"M{left(-1.5)} 30C{left(-4)} 10 {right(4)} 10 {right(1.5)} 30"
            f"C{right(0)} 22 38 20 32 21S{left(0)} 24 {left(-1.5)} 30Z"
        ),
        path(
            f"M{left(-3)} 46C{left(-7)} 8 {right(7)} 8 {right(3)} 46"
            f"L{right(-2)} 44V27C40 25 36 22 34 19C31 24 25 26 {left(2)} 27V44Z"
        ),
        path(f"M{left(-1)} 29C{left(-2)} 14 {right(2)} 14 {right(1)} 29L{right(0)} 25H{left(0)}Z")
        + f'<path d="M12 24.500h40l-9-4C43 8 21 8 21 20.500Z" fill="{palette.near}"/>'
        + f'<path d="M21 20.500h22v-2.500H21z" fill="{palette.light}" opacity=".8"/>',
        path(f"M{left(-1)} 28C{left(0)} 12 {right(0)} 12 {right(1)} 28C36 20 28 20 {left(-1)} 28Z")
        + f'<circle cx="32" cy="11" r="5" fill="{hair}"/>',
        path(
            f"M{left(-1)} 30C{left(-3)} 9 {right(5)} 12 {right(1)} 30"
            f"C{right(-1)} 22 28 25 24 19C24 24 {left(1)} 25 {left(-1)} 30Z"
        ),
    )
