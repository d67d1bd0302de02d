"""From a file to the card's JSON object: a PNG that carries a card, or the JSON alone."""

from __future__ import annotations

import base64
import binascii
from pathlib import PurePath
from typing import Any

from mindstage.library.cards import limits, png
from mindstage.library.cards.json_guard import load_object
from mindstage.library.cards.refusal import CardRefused, refusal

_OTHER_KINDS = (
    (b"PK\x03\x04", "This is an archive (CHARX, BYAF or ZIP), which is not read yet."),
    (b"\xff\xd8\xff", "This picture is a JPEG; a card travels inside a PNG."),
    (b"GIF8", "This picture is a GIF; a card travels inside a PNG."),
    (b"RIFF", "This picture is a WEBP; a card travels inside a PNG."),
)


def open_container(data: bytes, *, filename_hint: str, notices: list[str]) -> tuple[dict[str, Any], bytes | None]:
    """The card's JSON object, and the picture it came in (or None). Adds to `notices`; raises CardRefused."""
    if not data:
        raise refusal("The file is empty.", "Choose another file.")
    if data.startswith(png.SIGNATURE):
        return load_object(_card_text(data, notices)), data
    if data.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1] in (b"{", b"["):
        return load_object(data), None
    raise _not_a_card(data, filename_hint)


def _card_text(data: bytes, notices: list[str]) -> bytes:
    found = png.read_card_texts(data)
    for keyword in png.CARD_KEYWORDS:
        if keyword in found.by_keyword:
            _report(found, notices)
            return _unpack(found.by_keyword[keyword], keyword)
    raise refusal(
        "This picture carries no character card.",
        "Sites and chat programs often strip it when they save a picture again: look for the original file.",
    )


def _report(found: png.CardTexts, notices: list[str]) -> None:
    if len(found.by_keyword) > 1:
        notices.append("The picture carries the card twice; the newer form (V3) was read.")
    if found.repeated:
        notices.append("The picture carries several cards of the same form; the first was read.")
    if found.assets:
        notices.append(f"The picture carries {found.assets} further files of the character. They are not used.")
    if found.trailing_bytes:
        notices.append("Something stands after the end of the picture; it was not read.")


def _unpack(packed: bytes, keyword: str) -> bytes:
    """Undo the base64 of the chunk `keyword`; line breaks in it and missing padding are forgiven."""
    packed = b"".join(packed.split()).rstrip(b"=")
    if len(packed) > limits.TEXT_CHUNK_BYTES:
        raise refusal("The picture carries a text of more than 8 MiB.", "Import a smaller version of the card.")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        pass
    raise refusal(f"The picture’s “{keyword}” text is not proper base64.", "Download or export the picture again.")


def _not_a_card(data: bytes, filename_hint: str) -> CardRefused:
    for start, sentence in _OTHER_KINDS:
        if data.startswith(start):
            return refusal(sentence, "Export the card as PNG or JSON and import that.")
    expected = {".png": "a PNG picture", ".json": "JSON"}.get(PurePath(filename_hint).suffix.lower())
    if expected:
        return refusal(f"The file is named like {expected}, but that is not what it holds.", "Choose another file.")
    return refusal("The file is neither a PNG picture nor JSON.", "A card is one of these two.")
