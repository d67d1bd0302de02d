"""The card texts inside a PNG or APNG, read without ever unfolding its pixels.

Structure and names: PNG specification (third edition), section 5 and 11.3.3. Chunks that only paint are stepped over;
the size of the picture is judged from its header, so a decompression bomb stays folded.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from mindstage.library.cards import limits
from mindstage.library.cards.refusal import refusal

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXT_CHUNKS = {b"tEXt", b"zTXt", b"iTXt"}
PAINTING = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
CARD_KEYWORDS = ("ccv3", "chara")
ASSET_KEYWORD = "chara-ext-asset_"
AGAIN = "Download or export the picture again."


@dataclass(frozen=True, slots=True)
class Chunk:
    kind: bytes
    body: memoryview
    crc: int


@dataclass(frozen=True, slots=True)
class CardTexts:
    """The card texts of one picture by keyword (`chara`, `ccv3`), still base64; the first of a keyword counts."""

    by_keyword: dict[str, bytes]
    repeated: bool = False
    assets: int = 0
    trailing_bytes: int = 0


def read_card_texts(data: bytes) -> CardTexts:
    """Find the card texts of the PNG `data`. Raises CardRefused: damaged, cut short or over a limit of `limits`."""
    if len(data) > limits.PNG_BYTES:
        raise refusal("The picture is larger than 20 MiB.", "Make it smaller, or import the card as JSON.")
    texts: dict[str, bytes] = {}
    repeated, assets, end = False, 0, len(SIGNATURE)
    for position, chunk in enumerate(_walk(data)):
        end += len(chunk.body) + 12
        _check(chunk, position)
        if chunk.kind not in TEXT_CHUNKS:
            continue
        keyword = _keyword(chunk)
        assets += keyword.startswith(ASSET_KEYWORD)
        if keyword not in CARD_KEYWORDS:
            continue
        if keyword in texts:
            repeated = True  # and left packed: a thousand small bombs would be a large one
            continue
        _check_crc(chunk)
        texts[keyword] = _text(chunk)
    return CardTexts(texts, repeated, assets, len(data) - end)


def bare_picture(data: bytes) -> bytes:
    """The PNG `data` with what paints its first picture and nothing else: no texts, no EXIF, no profile, no animation.

    Raises CardRefused as `read_card_texts` does.
    """
    return SIGNATURE + b"".join(_pack(chunk) for chunk in _walk(data) if chunk.kind in PAINTING)


def _pack(chunk: Chunk) -> bytes:
    return struct.pack(">I4s", len(chunk.body), chunk.kind) + chunk.body + struct.pack(">I", chunk.crc)


def _walk(data: bytes) -> Iterator[Chunk]:
    """Every chunk up to and with IEND. Raises CardRefused when the file ends before it does."""
    view, at = memoryview(data), len(SIGNATURE)
    for _ in range(limits.CHUNKS):
        if at + 12 > len(data):
            raise refusal("The picture is cut short.", AGAIN)
        length, kind = struct.unpack_from(">I4s", data, at)
        body_end = at + 8 + length
        if body_end + 4 > len(data):
            raise refusal("The picture is cut short.", AGAIN)
        yield Chunk(kind, view[at + 8 : body_end], struct.unpack_from(">I", data, body_end)[0])
        if kind == b"IEND":
            return
        at = body_end + 4
    raise refusal(
        "The picture is made of more than 1,000 parts.", "Save it again with a picture program, or import JSON."
    )


def _check(chunk: Chunk, position: int) -> None:
    if not (chunk.kind.isascii() and chunk.kind.isalpha()):
        raise refusal("The picture is damaged: one of its parts has no proper name.", AGAIN)
    if (position == 0) != (chunk.kind == b"IHDR"):
        raise refusal("The picture is damaged: its header is not where it belongs.", AGAIN)
    # A capital first letter marks the chunks that no reader may skip. Sloppy tools get the sums of the others wrong.
    if chunk.kind[:1].isupper():
        _check_crc(chunk)
    if chunk.kind == b"IHDR":
        _check_size(chunk.body)
    if chunk.kind in TEXT_CHUNKS and len(chunk.body) > limits.TEXT_CHUNK_BYTES:
        raise refusal("The picture carries a text of more than 8 MiB.", "Import a smaller version of the card.")


def _check_crc(chunk: Chunk) -> None:
    if zlib.crc32(chunk.body, zlib.crc32(chunk.kind)) != chunk.crc:
        raise refusal("The picture is damaged: a checksum does not fit (CRC).", AGAIN)


def _check_size(header: memoryview) -> None:
    if len(header) != 13:
        raise refusal("The picture is damaged: its header has the wrong length.", AGAIN)
    width, height = struct.unpack_from(">II", header)
    if not width or not height:
        raise refusal("The picture is damaged: its header gives it no size.", AGAIN)
    if max(width, height) > limits.SIDE_PIXELS or width * height > limits.PIXELS:
        raise refusal(
            "The picture is larger than 8,192 pixels on a side or 40 megapixels.",
            "Make it smaller, or import the card as JSON.",
        )


def _keyword(chunk: Chunk) -> str:
    """The chunk's keyword in lower case; "" when it has none (a keyword is 1 to 79 bytes and ends with a NUL)."""
    keyword, separator, _ = bytes(chunk.body[:400]).partition(b"\0")
    return keyword.decode("latin-1").lower() if separator else ""


def _text(chunk: Chunk) -> bytes:
    """The chunk's text. The card formats say tEXt; re-saved pictures come with the other two kinds."""
    _, _, rest = bytes(chunk.body).partition(b"\0")
    if chunk.kind == b"tEXt":
        return rest
    if chunk.kind == b"zTXt":
        return _inflate(rest[1:])
    compressed, after_flags = rest[:1] == b"\1", rest[2:]
    _, _, after_language = after_flags.partition(b"\0")
    _, _, text = after_language.partition(b"\0")
    return _inflate(text) if compressed else text


def _inflate(packed: bytes) -> bytes:
    """Unpack a zlib text up to the limit and no further. Raises CardRefused for a bomb and for a damaged stream."""
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(packed, limits.TEXT_CHUNK_BYTES + 1)
    except zlib.error:
        text = None
    if text is None or (not stream.eof and len(text) <= limits.TEXT_CHUNK_BYTES):
        raise refusal("The picture’s packed text is damaged.", AGAIN)
    if len(text) > limits.TEXT_CHUNK_BYTES:
        raise refusal("The picture carries a packed text of more than 8 MiB.", "Import a smaller version of the card.")
    return text
