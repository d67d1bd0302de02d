"""A character as the files that other programs read: Card V2 and V3, as JSON and inside a picture, and its book."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image

from mindstage.datamap.porting import Edition
from mindstage.kit import canonical
from mindstage.library.cards import Card
from mindstage.library.cards.png_writing import put_cards
from mindstage.library.cards.writing import to_lorebook, to_v2, to_v3

_PLAIN = (400, 600)


def to_card_files(card: Card, portrait: bytes | None) -> Iterator[tuple[str, Edition]]:
    """(name, content) of each. `portrait`: the WebP that was kept, or None for a plain card."""
    v2, v3 = to_v2(card), to_v3(card)
    yield "card-v2.json", Edition(canonical.to_bytes(v2))
    yield "card-v3.json", Edition(canonical.to_bytes(v3))
    yield "card.png", Edition(put_cards(_to_png(portrait), v2=v2, v3=v3))
    if (book := to_lorebook(card)) is not None:
        yield "lorebook.json", Edition(canonical.to_bytes(book))


def _to_png(portrait: bytes | None) -> bytes:
    out = io.BytesIO()
    if portrait is None:
        Image.new("RGB", _PLAIN, (58, 52, 46)).save(out, "PNG")
    else:
        with Image.open(io.BytesIO(portrait), formats=["WEBP"]) as opened:
            opened.save(out, "PNG", exif=b"", icc_profile=None)
    return out.getvalue()
