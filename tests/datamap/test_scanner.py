"""The scanner finds a word in every encoding, and nothing where there is nothing."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import quopri
import random
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable

import pytest
from django.core.mail import EmailMessage
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from library import card_makers as make
from mindstage.datamap import scanner
from mindstage.datamap.scanner import Scanner

WORD = "qUvXzäKwÖpLmRtÉb"

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "raw": lambda word: word.encode(),
    "lower": lambda word: word.lower().encode(),
    "upper": lambda word: word.upper().encode(),
    "latin-1": lambda word: word.encode("latin-1", "ignore"),
    "utf-16-le": lambda word: word.encode("utf-16-le"),
    "utf-16-be": lambda word: word.encode("utf-16-be"),
    "base64": lambda word: base64.b64encode(word.encode()),
    "base64, one byte on": lambda word: base64.b64encode(b"x" + word.encode()),
    "base64, two bytes on": lambda word: base64.b64encode(b"xy" + word.encode() + b"z"),
    "base64url": lambda word: base64.urlsafe_b64encode(b"\xff\xfe\xfb" + word.encode() + b"\xff\xff"),
    "base64 without padding": lambda word: base64.b64encode(word.encode()).rstrip(b"="),
    "base64 in lines": lambda word: base64.encodebytes(b"y" * 50 + word.encode() * 2),
    "base64 of utf-16": lambda word: base64.b64encode(word.encode("utf-16-le")),
    "hex": lambda word: word.encode().hex().encode(),
    "HEX": lambda word: word.encode().hex().upper().encode(),
    "hex, shifted": lambda word: b"a" + word.encode().hex().encode(),
    "url": lambda word: urllib.parse.quote(word).encode(),
    "url, every byte": lambda word: "".join(f"%{byte:02x}" for byte in word.encode()).encode(),
    "json": lambda word: json.dumps({"text": f'a "{word}"\n'}).encode(),
    "json in json": lambda word: json.dumps(json.dumps([word])).encode(),
    "json, every letter": lambda word: "".join(f"\\u{ord(letter):04x}" for letter in word).encode(),
    "html": lambda word: "".join(f"&#{ord(letter)};" for letter in word).encode(),
    "quoted-printable": lambda word: quopri.encodestring(b"=" * 17 + word.encode() + b"=" * 9),
    "a letter, its subject": lambda word: letter(f"To {word}", "x"),
    "a letter, a long subject": lambda word: letter(f"{word} and {word} and {word}", "x"),
    "a letter, long lines": lambda word: letter("x", f"And {word}! " * 80),
    "repr of bytes": lambda word: repr(word.encode()).encode(),
    "repr of bytes in json": lambda word: json.dumps([repr(word.encode())]).encode(),
    "ascii": lambda word: ascii(word).encode(),
    "backslashreplace": lambda word: word.encode("ascii", "backslashreplace"),
    "zlib": lambda word: zlib.compress(word.encode()),
    "zlib, fast": lambda word: zlib.compress(word.encode() * 3, 1),
    "gzip": lambda word: gzip.compress(word.encode()),
    "zlib in base64": lambda word: base64.b64encode(zlib.compress(json.dumps(word).encode())),
    "zip": lambda word: zipped(word),
    "zip, stored": lambda word: zipped(word, zipfile.ZIP_STORED),
    "png text": lambda word: picture(word, packed=False),
    "png packed text": lambda word: picture(word, packed=True),
    "png pixels": lambda word: pixels(word),
}


LAYERS: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "base64url": base64.urlsafe_b64encode,
    "hex": lambda content: content.hex().encode(),
    "url": lambda content: "".join(f"%{byte:02X}" for byte in content).encode(),
    "zlib": zlib.compress,
    "gzip": gzip.compress,
}


def letter(subject: str, text: str) -> bytes:
    return EmailMessage(subject, text, "here@stage.example", ["there@stage.example"]).message().as_bytes()


def zipped(word: str, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("card.json", json.dumps({"name": word}, ensure_ascii=False) * 4)
    return file.getvalue()


def picture(word: str, *, packed: bool) -> bytes:
    file, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_itxt("Comment", word, zip=packed)
    Image.new("L", (2, 2)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def pixels(word: str) -> bytes:
    """A grey picture of one line whose brightness spells the word, in two parts."""
    packed = zlib.compress(b"\0" + word.encode())
    return (
        make.SIGNATURE
        + make.header(len(word.encode()))
        + make.chunk(b"IDAT", packed[:9])
        + make.chunk(b"IDAT", packed[9:])
    )


WORDS = (WORD, "kRtWqZpLmXvBnDsF", "wörter-Ŀžšč-żółw")
SPELLINGS = [(word, encoding) for word in WORDS for encoding in ENCODINGS if (word, encoding) != (WORDS[2], "latin-1")]


@pytest.mark.parametrize(("word", "encoding"), SPELLINGS)
def test_a_word_is_found_in_every_encoding(word: str, encoding: str) -> None:
    """Whatever a store does to a word, the scanner sees it, among random bytes too."""
    hidden = ENCODINGS[encoding](word)
    for content in (hidden, os.urandom(999) + hidden + os.urandom(999), b"\n" + hidden + b"\x00"):
        assert word in {sighting.word for sighting in Scanner([word]).scan(content)}


@settings(max_examples=60, deadline=None)
@given(
    word=st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZéñöåžł", min_size=12, max_size=24),
    encodings=st.lists(st.sampled_from(sorted(LAYERS)), max_size=2),
    seed=st.integers(0, 2**32),
)
def test_a_word_is_found_under_any_two_layers(word: str, encodings: list[str], seed: int) -> None:
    """Any word, in up to two encodings one inside the other, between random bytes."""
    content = word.encode()
    for encoding in encodings:
        content = LAYERS[encoding](content)
    noise = random.Random(seed)
    content = noise.randbytes(200) + b" " + content + b" " + noise.randbytes(9)
    assert Scanner([word]).scan(content)


@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=4_000))
def test_any_bytes_are_scanned(content: bytes) -> None:
    """No content makes the scanner fail, and nothing is found where nothing is."""
    assert Scanner([WORD]).scan(content) == set()
    assert Scanner([WORD]).scan(zlib.compress(content)[:-3]) == set()


@given(
    st.lists(st.sampled_from([b"A", b"f", b"0", b"abcdef01", b"-_", b"/+", b"\n", b"\r\n", b"\r", b" ", b"\xff"])).map(
        b"".join
    )
)
def test_no_run_of_signs_is_passed_over(content: bytes) -> None:
    """The quick search finds what the patterns would find in the bytes themselves, line breaks and all."""
    runs = list(scanner._base64_runs(content))
    assert runs == scanner._BASE64.findall(content)
    assert scanner._HEX.findall(b" ".join(runs)) == scanner._HEX.findall(content)


def test_a_word_that_would_be_found_by_chance_is_refused() -> None:
    """A short word proves nothing."""
    with pytest.raises(ValueError, match="by chance"):
        Scanner(["short"])


def test_a_sighting_tells_the_way() -> None:
    """The report says under which layers a word lay."""
    (sighting,) = Scanner(["kRtWqZpLmXvBnDsF"]).scan(zlib.compress(b"kRtWqZpLmXvBnDsF" * 2))
    assert (sighting.word, sighting.way) == ("kRtWqZpLmXvBnDsF", "zlib > utf-8")
