"""Builders of character cards for tests: JSON objects of each kind, and the PNG files that carry them."""

from __future__ import annotations

import base64
import copy
import json
import struct
import zlib
from typing import Any

SIGNATURE = b"\x89PNG\r\n\x1a\n"

V1: dict[str, Any] = {
    "name": "Hedda Quill",
    "description": "{{char}} keeps the toll gate.",
    "personality": "Dry, exact.",
    "scenario": "A bridge in rain.",
    "first_mes": "“Two coins, or a reason.”",
    "mes_example": "<START>\n{{user}}: Why two?\n{{char}}: One for the bridge.",
}

BOOK: dict[str, Any] = {
    "name": "The bridge",
    "extensions": {},
    "entries": [
        {
            "keys": ["toll", "coin"],
            "content": "The toll was doubled in the year of the flood.",
            "extensions": {"position": 4, "made_up": [1, {"deep": None}]},
            "enabled": True,
            "insertion_order": 20,
            "case_sensitive": False,
            "name": "Toll",
            "id": 1,
            "selective": True,
            "secondary_keys": ["flood"],
            "constant": False,
            "position": "before_char",
        }
    ],
}


def bomb(megabytes: int, letter: bytes = b"A") -> bytes:
    """A whole zlib stream of so many MB of one letter. One packed MB is repeated: to pack them all takes seconds."""
    megabyte, packer = letter * 1_000_000, zlib.compressobj(9)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(megabyte) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.flush()[:-4]
    low, high = zlib.adler32(megabyte) & 0xFFFF, zlib.adler32(megabyte) >> 16
    first, second = 1, 0  # Adler-32 (RFC 1950) of what is repeated, from that of one part
    for _ in range(megabytes):
        first, second = (first + low - 1) % 65_521, (second + 1_000_000 * (first - 1) + high) % 65_521
    return head + block * megabytes + end + struct.pack(">HH", second, first)


def v1(**changes: Any) -> dict[str, Any]:
    """A V1 card; `changes` replace fields."""
    return copy.deepcopy(V1) | changes


def v2(**changes: Any) -> dict[str, Any]:
    """A V2 card; `changes` replace fields of its `data`."""
    data = copy.deepcopy(V1) | {
        "creator_notes": "For rainy evenings.",
        "system_prompt": "{{original}} Keep it short.",
        "post_history_instructions": "Never name the river.",
        "alternate_greetings": ["“You again.”", "She lifts the bar."],
        "character_book": copy.deepcopy(BOOK),
        "tags": ["bridge", "Rain"],
        "creator": "somebody",
        "character_version": "1.2",
        "extensions": {"depth_prompt": {"prompt": "x", "depth": 4}, "who/knows": [1, 2.5, None]},
        "a_field_of_tomorrow": {"kept": True},
    }
    return {"spec": "chara_card_v2", "spec_version": "2.0", "data": data | changes}


def v3(**changes: Any) -> dict[str, Any]:
    """A V3 card; `changes` replace fields of its `data`."""
    extra = {
        "nickname": "Hedda",
        "group_only_greetings": ["“All of you?”"],
        "assets": [{"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"}],
        "source": ["https://example.org/card"],
        "creation_date": 0,
        "creator_notes_multilingual": {"de": "Für Regen."},
    }
    return {"spec": "chara_card_v3", "spec_version": "3.0", "data": v2()["data"] | extra | changes}


def pygmalion(**changes: Any) -> dict[str, Any]:
    """A card in the form of text-generation-webui."""
    return {
        "char_name": "Hedda Quill",
        "char_persona": "Keeps the toll gate.",
        "world_scenario": "A bridge in rain.",
        "char_greeting": "“Two coins.”",
        "example_dialogue": "{{user}}: Why?\n{{char}}: Because.",
    } | changes


def to_json(card: Any) -> bytes:
    """The bytes of a JSON file."""
    return json.dumps(card, ensure_ascii=False).encode()


def chunk(kind: bytes, body: bytes, *, crc: int | None = None) -> bytes:
    """One PNG chunk; a wrong `crc` can be forced."""
    crc = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def header(width: int = 1, height: int = 1) -> bytes:
    """An IHDR chunk: 8-bit grey."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))


def text_chunk(card: Any, keyword: str = "chara") -> bytes:
    """A tEXt chunk with the card in base64."""
    return chunk(b"tEXt", keyword.encode() + b"\0" + base64.b64encode(to_json(card)))


def png(*chunks: bytes, width: int = 1, height: int = 1) -> bytes:
    """A PNG of one grey pixel (whatever its header says) with `chunks` before its pixels."""
    pixels = chunk(b"IDAT", zlib.compress(b"\0\x80"))
    return SIGNATURE + header(width, height) + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def png_card(card: Any, keyword: str = "chara") -> bytes:
    """A PNG that carries one card."""
    return png(text_chunk(card, keyword))


def chunk_ends(data: bytes) -> list[int]:
    """The offsets after the signature and after each chunk but the last: where a truncation is cleanest."""
    ends, at = [], len(SIGNATURE)
    while at < len(data):
        ends.append(at)
        at += 12 + struct.unpack_from(">I", data, at)[0]
    return ends
