"""The picture of a character in an archive may be anybody's: it paints, and does and says nothing else."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from library import card_makers as make
from mindstage.datamap.porting import NotUnderstood
from mindstage.library.characters import import_character
from mindstage.library.models import Character
from mindstage.library.portraits import MOST_BYTES, SIZE
from mindstage.vault.purposes import Purpose
from people import make_person
from rights.takeouts import bring, empty_exports, one, resign, take_out, unzip

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


def webp(size: tuple[int, int] = (16, 24), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 40).convert("RGB").save(out, "WEBP", **more)
    return out.getvalue()


def exif() -> Image.Exif:
    told = Image.Exif()
    told[0x010E] = "A lane behind the mill"
    return told


FINE = {"small": webp(), "lossless": webp(lossless=True), "as large as any": webp(SIZE, quality=5)}
WRONG = {
    "EXIF": webp(exif=exif()),
    "XMP": webp(xmp=b"<x:xmpmeta>A lane behind the mill</x:xmpmeta>"),
    "a profile": webp(icc_profile=b"A lane behind the mill"),
    "animated": webp(save_all=True, append_images=[Image.new("RGB", (16, 24), "teal")]),
    "too wide": webp((SIZE[0] + 1, 4), quality=5),
    "too high": webp((4, SIZE[1] + 1), quality=5),
    "more behind it": webp() + b"A lane behind the mill",
    "cut short": webp()[:-9],
    "no picture": webp()[:40] + bytes(len(webp()) - 40),
    "another kind": b"\x89PNG\r\n\x1a\n" + webp()[8:],
    "too large": webp() + b"ALPH" + (MOST_BYTES).to_bytes(4, "little") + bytes(MOST_BYTES),
}


@pytest.fixture
def files(vault: None) -> Iterator[dict[str, bytes]]:
    """Ada's archive with one character."""
    ada = make_person("ada")
    out = io.BytesIO()
    Image.effect_noise((64, 96), 40).convert("RGB").save(out, "PNG")
    end = make.chunk(b"IEND", b"")
    import_character(owner=ada.pk, data=out.getvalue().removesuffix(end) + make.text_chunk(make.v2()) + end)
    yield unzip(take_out(ada))
    empty_exports()


def with_portrait(files: dict[str, bytes], picture: bytes) -> bytes:
    (name,) = [name for name in files if name.endswith("/portrait.webp")]
    return resign(files | {name: picture})


@pytest.mark.parametrize("picture", FINE.values(), ids=FINE)
def test_a_picture_comes_in_as_it_is(files: dict[str, bytes], picture: bytes) -> None:
    """And goes out so again."""
    bring(ben := make_person("ben"), with_portrait(files, picture))
    assert Character.objects.get(owner=ben).open_bytes("portrait", Purpose.SHOW) == picture
    assert one(unzip(take_out(ben)), "portrait.webp") == picture


@pytest.mark.parametrize("picture", WRONG.values(), ids=WRONG)
def test_what_is_more_or_less_than_a_picture_is_refused(files: dict[str, bytes], picture: bytes) -> None:
    """No place, no camera, no film, nothing that no decoder reads, and nothing large: with nothing written."""
    ben = make_person("ben")
    with pytest.raises(NotUnderstood, match="an export is not what it should be"):
        bring(ben, with_portrait(files, picture))
    assert not Character.objects.filter(owner=ben).exists()
