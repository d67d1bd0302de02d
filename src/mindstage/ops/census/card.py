"""A character card in a picture, with a word in every slot that the two have."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

from mindstage.ops.census.words import Fate, Words

KEY = "lantern"
"""The key of the lore entry: a turn that says it brings the entry into the prompt."""
_PIXELS = 64


def make_card(words: Words) -> bytes:
    """A PNG of 64 by 64 pixels that carries a V3 card, and words where pictures keep notes about themselves."""
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", _PIXELS, _PIXELS, 8, 2, 0, 0, 0)),
        _text(b"tEXt", b"Comment\0", words.plant("picture, comment", Fate.NEVER, plain=True)),
        _text(b"zTXt", b"Author\0\0", words.plant("picture, packed text", Fate.NEVER, plain=True), packed=True),
        _text(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0", _xmp(words.plant("picture, XMP", Fate.NEVER))),
        _chunk(b"eXIf", _exif(words.plant("picture, EXIF", Fate.NEVER, plain=True))),
        _text(b"tEXt", b"ccv3\0", base64.b64encode(json.dumps(_card(words)).encode()).decode()),
        _chunk(b"IDAT", zlib.compress((b"\0" + bytes((40, 90, 110)) * _PIXELS) * _PIXELS)),
        _chunk(b"IEND", b""),
    ]
    after = words.plant("picture, after its end", Fate.NEVER).encode()
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + after


def make_picture(words: Words) -> bytes:
    """A PNG to take the place of a character's picture, with notes about itself."""
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", _PIXELS, _PIXELS, 8, 2, 0, 0, 0)),
        _text(b"tEXt", b"Comment\0", words.plant("other picture, comment", Fate.NEVER, plain=True)),
        _chunk(b"IDAT", zlib.compress((b"\0" + bytes((110, 90, 40)) * _PIXELS) * _PIXELS)),
        _chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + words.plant("other picture, after its end", Fate.NEVER).encode()


def make_refused_card(words: Words) -> bytes:
    """JSON that is no card: it is refused, and nothing of it may stay."""
    return json.dumps({"name": words.plant("refused card", Fate.NEVER), "spec": "none"}).encode()


def _card(words: Words) -> dict[str, Any]:
    def slot(name: str, *, shown: bool = False) -> str:
        return words.plant(f"card, {name}", Fate.SEALED, shown=shown)

    data = {
        "name": slot("name", shown=True),
        "nickname": slot("nickname"),
        "description": f"{{{{char}}}} is {slot('description', shown=True)}.",
        "personality": slot("personality"),
        "scenario": slot("scenario", shown=True),
        "first_mes": f"“{slot('greeting', shown=True)}”",
        "alternate_greetings": [slot("other greeting", shown=True)],
        "group_only_greetings": [slot("greeting for groups")],
        "mes_example": f"<START>\n{{{{char}}}}: {slot('example dialogue')}",
        "creator_notes": slot("creator notes", shown=True),
        "system_prompt": slot("system prompt"),
        "post_history_instructions": slot("instructions after the history"),
        "creator": slot("creator", shown=True),
        "character_version": slot("version"),
        "tags": [slot("tag", shown=True)],
        "character_book": {"name": slot("book, name"), "extensions": {}, "entries": [_lore(slot)]},
        "extensions": {"somebody/else": {"deep": [slot("unknown extension")]}},
        "a_field_of_tomorrow": slot("unknown field"),
        "creator_notes_multilingual": {"de": slot("notes in another language")},
        "source": [f"https://example.org/{slot('source')}"],
        "assets": [],
    }
    return {"spec": "chara_card_v3", "spec_version": "3.0", "data": data}


def _lore(slot: Any) -> dict[str, Any]:
    return {
        "keys": [KEY, slot("lore, key")],
        "content": f"The lantern is {slot('lore, content', shown=True)}.",
        "name": slot("lore, name"),
        "comment": slot("lore, comment"),
        "extensions": {},
        "enabled": True,
        "insertion_order": 10,
        "use_regex": False,
    }


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _text(kind: bytes, head: bytes, text: str, *, packed: bool = False) -> bytes:
    return _chunk(kind, head + (zlib.compress(text.encode()) if packed else text.encode()))


def _xmp(word: str) -> str:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:creator>{word}</dc:creator></x:xmpmeta>'


def _exif(word: str) -> bytes:
    """A TIFF directory with one entry: 0x010E, the description of the picture."""
    text = word.encode() + b"\0"
    return b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x010E, 2, len(text), 26) + b"\0\0\0\0" + text
