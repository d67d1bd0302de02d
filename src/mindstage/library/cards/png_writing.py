"""Put a card into a PNG: `ccv3` and `chara` texts, before the picture's end, in place of any that were there."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

from mindstage.library.cards.png import bare_picture

_END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))


def put_cards(picture: bytes, *, v2: dict[str, Any], v3: dict[str, Any]) -> bytes:
    """The PNG `picture` with both cards as base64 of UTF-8 JSON in tEXt chunks. Raises CardRefused for no PNG."""
    bare = bare_picture(picture)
    return bare.removesuffix(_END) + _text(b"chara", v2) + _text(b"ccv3", v3) + _END


def _text(keyword: bytes, card: dict[str, Any]) -> bytes:
    body = keyword + b"\0" + base64.b64encode(json.dumps(card, ensure_ascii=False).encode())
    return struct.pack(">I4s", len(body), b"tEXt") + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(b"tEXt")))
