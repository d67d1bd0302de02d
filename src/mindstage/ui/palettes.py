"""The eight palettes of covers and portraits. Their order is part of the recipe: adding one at the end changes all."""

from typing import NamedTuple


class Palette(NamedTuple):
    """Colours of one stage, from the back to the light; `title` is readable (4.5 : 1) on `sky`."""

    sky: str
    low: str
    far: str
    mid: str
    near: str
    light: str
    title: str


PALETTES = (
    Palette("#12332e", "#2b5a4e", "#3f7a68", "#1f4c41", "#0b211d", "#f3e3b0", "#f6ecd0"),
    Palette("#3a1f2b", "#8c3f3b", "#c96f4a", "#6a2b34", "#24121b", "#fbe3bc", "#fdeed6"),
    Palette("#14243e", "#2f5678", "#5e8fa8", "#234563", "#0c1727", "#f2ead3", "#f2ead3"),
    Palette("#ecdcb0", "#e2b872", "#c08a4b", "#8a5a33", "#3c2a1e", "#fff7e0", "#2b1d12"),
    Palette("#dde6e6", "#b9ccd0", "#8fa9b2", "#56727f", "#243842", "#ffffff", "#1b2b33"),
    Palette("#ead6cf", "#d9a79b", "#b67a76", "#7a4a55", "#33222f", "#fff3e9", "#33222f"),
    Palette("#27301c", "#56643a", "#8b9a5b", "#3f4b2a", "#161c10", "#f2edc4", "#f2edc4"),
    Palette("#2b2019", "#5b412c", "#8d6a45", "#443021", "#18110c", "#f4dda9", "#f7e7c2"),
)
