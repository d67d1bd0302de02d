"""Portraits: small, without a trace of the file they came from, and never a reason to refuse a card."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from functools import cache

import pytest
from PIL import Image, PngImagePlugin

from library import card_makers as make
from mindstage.library.characters import import_character, open_report
from mindstage.library.portraits import MOST_BYTES, NoPortrait, draw_portrait
from mindstage.vault.purposes import Purpose
from people import make_person


def png_of(picture: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return file.getvalue()


def riff_chunks(webp: bytes) -> set[bytes]:
    """The kinds of chunks in a WebP file."""
    found, at = set(), 12
    while at < len(webp):
        kind, length = struct.unpack_from("<4sI", webp, at)
        found.add(kind)
        at += 8 + length + length % 2
    return found


def test_a_portrait_is_small_and_bare() -> None:
    """At most 512 x 768, WebP, in proportion; texts, EXIF, XMP and profile are gone."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "taken at home, Planted Lane 7")
    info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>Planted</x:xmpmeta>")
    exif = Image.Exif()
    exif[0x010E] = "Planted description"
    exif.get_ifd(0x8825)[1] = "N"
    picture = Image.new("RGB", (2_000, 3_000), "teal")
    data = png_of(picture, pnginfo=info, exif=exif, icc_profile=b"Planted profile" * 40)
    portrait = draw_portrait(data)
    assert b"Planted" not in portrait
    assert riff_chunks(portrait) <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}
    with Image.open(io.BytesIO(portrait)) as drawn:
        assert (drawn.format, drawn.size) == ("WEBP", (512, 768))
        red, green, blue = drawn.convert("RGB").getpixel((100, 100))  # type: ignore[misc]
    assert (red < 30, green > 100, blue > 100) == (True, True, True)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_usual_kind_of_colours(mode: str) -> None:
    """Grey, palette and transparent pictures become portraits too, and are not enlarged."""
    with Image.open(io.BytesIO(draw_portrait(png_of(Image.new(mode, (64, 96)))))) as drawn:
        assert drawn.size == (64, 96)


def test_transparency_stays() -> None:
    """What shines through goes on doing so."""
    with Image.open(io.BytesIO(draw_portrait(png_of(Image.new("RGBA", (64, 64), (200, 0, 0, 0)))))) as drawn:
        assert drawn.convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_noise_fits_as_well() -> None:
    """Even a picture that nothing compresses ends under the limit."""
    noise = Image.frombytes("RGB", (1_024, 1_536), random.Random(7).randbytes(1_024 * 1_536 * 3))
    assert len(draw_portrait(png_of(noise))) <= MOST_BYTES


def test_only_the_first_picture_of_an_animation() -> None:
    """The frames of an APNG are dropped unread."""
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue", "lime")]
    animated = png_of(frames[0], save_all=True, append_images=frames[1:], default_image=False)
    with Image.open(io.BytesIO(draw_portrait(animated))) as drawn:
        assert getattr(drawn, "n_frames", 1) == 1
        assert drawn.convert("RGB").getpixel((9, 9))[0] > 200  # type: ignore[index]


def bomb(width: int, height: int) -> bytes:
    """A tiny file that says it is `width` x `height` and unfolds to 200 MB."""
    return make.SIGNATURE + make.header(width, height) + much() + make.chunk(b"IEND", b"")


@cache
def much() -> bytes:
    return make.chunk(b"IDAT", make.bomb(200, b"\0"))


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (lambda: bomb(8_000, 5_000), "larger than 16 megapixels"),
        (lambda: bomb(2**31 - 1, 2**31 - 1), "larger than 16 megapixels"),
        (lambda: make.png(width=40, height=40), "damaged"),
        (lambda: make.png(), "too small"),
        (lambda: make.SIGNATURE, "cut short"),
        (lambda: b"no picture at all", "cut short"),
        (lambda: png_of(Image.new("I;16", (64, 64))), "kind of colours"),
    ],
)
def test_pictures_that_make_no_portrait(picture: Callable[[], bytes], words: str) -> None:
    """Bombs are refused before they unfold; damage and oddities are named."""
    with pytest.raises(NoPortrait) as caught:
        draw_portrait(picture())
    assert words in caught.value.sentence


def test_more_pixels_than_announced_stay_folded() -> None:
    """Unpacking ends where the picture is full, whatever else its stream holds."""
    assert len(draw_portrait(bomb(64, 64))) < 1_000


@pytest.mark.django_db(databases=["default", "keystore"])
def test_a_damaged_picture_costs_only_the_portrait(vault: None) -> None:
    """The character is imported whole, and its report says what is missing."""
    owner = make_person().pk
    text = make.text_chunk(make.v2())
    row = import_character(owner=owner, data=make.png(text, width=400, height=600))
    assert row.portrait is None
    assert any("no portrait" in sentence for sentence in open_report(row))
    data = png_of(Image.new("RGB", (64, 96), "teal"))
    whole = import_character(owner=owner, data=data[:33] + text + data[33:])
    assert whole.open_bytes("portrait", Purpose.SHOW).startswith(b"RIFF")
    assert not any("portrait" in sentence for sentence in open_report(whole))
