"""A character's portrait: the card's picture, drawn anew. Nothing of the file that came is kept but its colours."""

from __future__ import annotations

import io
import struct
import threading

from PIL import Image

from mindstage.library.cards import CardRefused
from mindstage.library.cards.png import bare_picture

SIZE = (512, 768)
"""Pixels: the largest width and height of a portrait."""
MOST_BYTES = 120_000
MOST_PIXELS = 16_000_000
"""Of the picture that comes. It is unfolded whole, at 4 bytes a pixel; cards circulate with some 6 million."""
FEWEST_PIXELS = 32
"""On a side; below that a picture only carries the card."""

CONTENT_TYPE = "image/webp"
_MODES = {"1", "L", "LA", "P", "RGB", "RGBA"}
_TRIES = ((1, 82), (1, 60), (1, 40), (2, 50), (4, 40))

# Pillow's own guard at our figure, should the measuring below ever be gone.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
_one_at_a_time = threading.Lock()


class NoPortrait(Exception):
    """The picture does not serve as a portrait. `sentence` says why, for people."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def draw_portrait(picture: bytes) -> bytes:
    """A WebP of at most SIZE and MOST_BYTES, without metadata, from the PNG that carried a card. Raises NoPortrait."""
    try:
        bare = bare_picture(picture)
        _refuse_size(*struct.unpack_from(">II", bare, 16))  # out of its header, which stands first
        with _one_at_a_time, Image.open(io.BytesIO(bare), formats=["PNG"]) as opened:
            return _pack(_shrink(opened))
    except NoPortrait:
        raise
    except CardRefused as refused:
        raise NoPortrait(refused.sentence) from None
    except Exception:  # whatever a decoder says of a broken picture, it is one; the card is whole without it
        raise NoPortrait(
            "The picture itself is damaged, so the character has no portrait; the card is whole."
        ) from None


def _refuse_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise NoPortrait("The picture is larger than 16 megapixels, so it was not made into a portrait.")
    if min(width, height) < FEWEST_PIXELS:
        raise NoPortrait("The picture is too small to be a portrait.")


def _shrink(opened: Image.Image) -> Image.Image:
    if opened.mode not in _MODES:
        raise NoPortrait("The picture’s kind of colours is not read here, so the character has no portrait.")
    plain = opened if opened.mode in ("RGB", "RGBA") else opened.convert("RGBA" if _shines_through(opened) else "RGB")
    plain.thumbnail(SIZE, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return plain


def _shines_through(opened: Image.Image) -> bool:
    return opened.mode == "LA" or "transparency" in opened.info


def _pack(portrait: Image.Image) -> bytes:
    """The best quality that fits; a picture of pure noise ends smaller."""
    for divisor, quality in _TRIES:
        small = portrait if divisor == 1 else portrait.reduce(divisor)
        out = io.BytesIO()
        small.save(out, "WEBP", quality=quality, method=4, exif=b"", icc_profile=b"", xmp=b"")
        if out.tell() <= MOST_BYTES:
            return out.getvalue()
    raise NoPortrait("The picture could not be made small enough to be a portrait.")
