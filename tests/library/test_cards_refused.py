"""Files that are no card, or not a safe one: each is refused with a sentence that says why, and quickly."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from library import card_makers as make
from mindstage.library.cards import CardRefused, read_card
from mindstage.library.cards.limits import MIB

PNG_DATA = make.png_card(make.v3(), "ccv3")


def refused(data: bytes, words: str, **options: str) -> None:
    """Check that `data` is refused with a sentence that holds `words` and has all three parts."""
    with pytest.raises(CardRefused, match=re.escape(words)) as caught:
        read_card(data, **options)
    assert "Nothing was imported." in caught.value.sentence
    assert "Hedda" not in caught.value.sentence


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello", "neither"),
        (b"\x89PNG\n\n\x1a\n", "neither"),
        (b"\xff\xd8\xff\xe0JFIF", "JPEG"),
        (b"GIF89a", "GIF"),
        (b"RIFF\0\0\0\0WEBP", "WEBP"),
        (b"PK\x03\x04", "archive"),
    ],
)
def test_not_a_card_file(data: bytes, words: str) -> None:
    """Other kinds of files are named as what they are."""
    refused(data, words)


def test_a_false_name_is_said() -> None:
    """A file that only calls itself PNG is told apart from one that makes no such claim."""
    refused(b"hello", "named like a PNG picture", filename_hint="Hedda.PNG")
    refused(b"hello", "neither", filename_hint="Hedda")


def test_a_picture_without_a_card() -> None:
    """A mere picture is refused with the usual reason for it."""
    refused(make.png(make.chunk(b"tEXt", b"Comment\0Hedda")), "carries no character card")


@pytest.mark.parametrize("end", make.chunk_ends(PNG_DATA))
def test_cut_short_at_a_chunk(end: int) -> None:
    """A picture that ends between two chunks, or near there, is cut short."""
    for length in (end, end + 1, end + 4, end + 8, end + 11):
        refused(PNG_DATA[:length], "cut short")


@pytest.mark.parametrize("kind", [b"IHDR", b"tEXt", b"IDAT", b"IEND"])
def test_bad_checksum(kind: bytes) -> None:
    """One wrong bit in the header, the card, the pixels or the end is found by its checksum."""
    at = PNG_DATA.index(kind)
    length = int.from_bytes(PNG_DATA[at - 4 : at])
    data = bytearray(PNG_DATA)
    data[at + 4 + length] ^= 1
    refused(bytes(data), "checksum")


def test_a_bad_checksum_elsewhere_is_none_of_ours() -> None:
    """Decorative chunks are stepped over, whatever their sums are."""
    assert read_card(make.png(make.chunk(b"tIME", b"x", crc=0), make.text_chunk(make.v2()))).spec == "v2"


def test_structure() -> None:
    """A missing, doubled, short or sizeless header and a nameless chunk are damage."""
    header, text = make.header(), make.text_chunk(make.v2())
    refused(make.SIGNATURE + text + make.chunk(b"IEND", b""), "header is not where it belongs")
    refused(make.png(header), "header is not where it belongs")
    refused(make.SIGNATURE + make.chunk(b"IHDR", b"\0" * 12), "wrong length")
    refused(make.png(text, width=0), "no size")
    refused(make.png(make.chunk(b"\0\1\2\3", b"")), "no proper name")


def test_text_chunk_of_10_mb() -> None:
    """A huge text chunk is refused for its size, before it is decoded."""
    refused(make.png(make.chunk(b"tEXt", b"chara\0" + b"A" * 10_000_000)), "more than 8 MiB")


def test_decompression_bombs() -> None:
    """Neither a packed text nor a picture's claimed size is ever unfolded."""
    bomb = make.bomb(200)
    for body in (b"chara\0\0" + bomb, b"ccv3\0\0" + bomb):
        refused(make.png(make.chunk(b"zTXt", body)), "packed text of more than 8 MiB")
    refused(make.png(make.chunk(b"iTXt", b"chara\0\1\0\0\0" + bomb)), "packed text of more than 8 MiB")
    text = make.text_chunk(make.v2())
    refused(make.png(text, width=8_193), "8,192 pixels")
    refused(make.png(text, width=8_000, height=8_000), "40 megapixels")
    refused(make.png(text, width=2**31 - 1, height=2**31 - 1), "8,192 pixels")


def test_damaged_packed_text() -> None:
    """A packed text that is cut or garbled is damage."""
    packed = zlib.compress(base64.b64encode(make.to_json(make.v2())))
    for body in (packed[:-10], b"garbage", b""):
        refused(make.png(make.chunk(b"zTXt", b"chara\0\0" + body)), "damaged")


def test_sizes_and_counts() -> None:
    """Files, chunks and base64 have limits and proper forms."""
    refused(make.SIGNATURE + b"\0" * (20 * MIB), "larger than 20 MiB")
    refused(b"{" + b" " * (5 * MIB), "larger than 5 MiB")
    refused(make.png(*[make.chunk(b"tIME", b"")] * 1_000), "more than 1,000 parts")
    refused(make.png(make.chunk(b"tEXt", b"chara\0{not base64}")), "not proper base64")
    refused(make.png(make.chunk(b"tEXt", b"chara\0")), "broken")


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_deep_json(opening: str) -> None:
    """A hundred thousand levels are counted, not climbed; 64 are allowed."""
    refused(f'{{"mes_example": {opening * 100_000}'.encode(), "deeper than 64")
    refused(make.png(make.chunk(b"tEXt", b"chara\0" + base64.b64encode(b"[" * 100_000))), "deeper than 64")
    level = "[" * 60 + "]" * 60
    assert read_card(f'{{"mes_example": "", "x": {level}}}'.encode()).spec == "v1"


def test_huge_json() -> None:
    """Many values, much text and long fields are refused, each by its own name."""
    refused(b'{"mes_example": "", "x": [' + b"1," * 200_000 + b"1]}", "200,000 values")
    refused(b'{"x": ["' + b'","' * 1_000_000, "200,000 values")
    refused(make.to_json(make.v1(x=["é" * 100_000] * 11)), "2 MB of text")
    refused(make.to_json(make.v1(description="x" * 100_001)), "“description” is longer than 100,000")
    refused(make.to_json(make.v1(name="x" * 501)), "“name” is longer than 500")
    refused(make.to_json(make.v2(tags=["x"] * 1_001)), "“tags” has more than 1,000")
    refused(make.to_json(make.v2(alternate_greetings=["x" * 100_001])), "“alternate_greetings” is longer")
    refused(make.to_json(make.v2(character_book={"entries": [{}] * 5_001})), "more than 5,000 entries")


def test_unfinished_strings_are_scanned_in_linear_time() -> None:
    """Five million quotes and backslashes without an end take one pass."""
    refused(b'{"' + b'\\"' * (2 * MIB), "broken")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"a"}',
        "{]",
        "{}]",
        '{"mes_example": ""} x',
        "{'a': 1}",
        '{"a": 01}',
        '{"a": "\\x"}',
        '{"a": "\\u12"}',
        '{"\\',
    ],
)
def test_broken_json(text: str) -> None:
    """What no parser reads is called broken."""
    refused(text.encode(), "broken")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("NaN", "NaN"),
        ("Infinity", "NaN or Infinity"),
        ("-Infinity", "NaN or Infinity"),
        ("1e999", "too large to keep"),
        ("9223372036854775808", "beyond 64 bits"),
        ("9" * 10_000, "beyond 64 bits"),
    ],
)
def test_numbers_that_do_not_fit(number: str, words: str) -> None:
    """Numbers that a store or another program would bend are refused."""
    refused(f'{{"mes_example": "", "x": {number}}}'.encode(), words)


def test_json_that_is_no_card() -> None:
    """Other JSON is refused with the field that is missing."""
    refused(b"[1]", "an object in braces")
    refused(b'{"name": "Hedda"}', "“mes_example” is missing")
    refused(b'{"data": {"name": "Hedda"}}', "“spec” is missing or unknown")
    refused(b'{"spec": "chara_card_v2"}', "“data” is missing")
    refused(b'{"spec": "lorebook_v3", "data": {}}', "lorebook")
    refused(b'{"spec": ["chara_card_v2"], "data": {}}', "“spec”")


TEXTS = [
    "name",
    "description",
    "personality",
    "scenario",
    "first_mes",
    "mes_example",
    "creator_notes",
    "system_prompt",
    "nickname",
]
TEXTS += ["post_history_instructions", "creator", "character_version"]
LISTS = ["alternate_greetings", "tags", "group_only_greetings"]
ENTRY_FIELDS = {
    "keys": [True, {}, [None], [{}]],
    "secondary_keys": [{}, [[]]],
    "content": [1, [], {}],
    "name": [[], True],
    "comment": [{}],
    "insertion_order": ["first", True, []],
    "enabled": ["yes", 2, []],
    "constant": ["no"],
    "selective": [[]],
    "case_sensitive": [{}],
    "use_regex": ["true"],
}


def wrong_types() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each field of a card with each kind of value that does not belong there."""
    for name in TEXTS:
        yield from ((name, make.v3(**{name: value})) for value in (True, [], ["x"], {}))
    for name in LISTS:
        yield from ((name, make.v3(**{name: value})) for value in (False, 1, "x", {}, [1], [None], [["x"]]))
    for name in ("extensions", "character_book"):
        yield from ((name, make.v3(**{name: value})) for value in (True, 1, "x", []))
    yield from (("entries", make.v3(character_book={"entries": value})) for value in ("x", 1, True, [1], [None], [[]]))
    for name, values in ENTRY_FIELDS.items():
        yield from ((name, make.v3(character_book={"entries": [{name: value}]})) for value in values)
    yield from (("data", make.v3() | {"data": value}) for value in ("x", [], 1))
    yield from (("spec_version", make.v3() | {"spec_version": value}) for value in (True, [], {}))
    names = list(make.pygmalion())
    yield from ((name, make.pygmalion(**{name: value})) for name in names for value in (1, True, [], {}))


@pytest.mark.parametrize(("field", "card"), list(wrong_types()))
def test_wrong_types(field: str, card: dict[str, Any]) -> None:
    """A value of the wrong type is refused by the name of its field and with what was expected."""
    refused(make.to_json(card), f"“{field}”")
    refused(make.to_json(card), "should be")


@pytest.mark.parametrize("written", ["\\u0000", "\x00", "\\ud800", "\\udc00", "\\udc00\\ud800", "\\ud83dx"])
@pytest.mark.parametrize("field", ["first_mes", "extensions", "tags", "content"])
def test_nul_and_lone_surrogates(written: str, field: str) -> None:
    """Neither hides anywhere: the field is named, escaped or raw, deep inside or in a name."""
    values: dict[str, Any] = {
        "first_mes": "aMARKb",
        "extensions": {"x": [{"y": ["MARK"]}]},
        "tags": ["MARK"],
        "content": None,
    }
    changes = {"character_book": {"entries": [{"content": "MARK"}]}} if field == "content" else {field: values[field]}
    refused(make.to_json(make.v2(**changes)).replace(b"MARK", written.encode()), f"“{field}” holds")
    in_a_name = make.to_json(make.v2(extensions={"MARK": 1})).replace(b"MARK", written.encode())
    refused(in_a_name, "“extensions” holds")


def test_surrogate_pairs_are_letters() -> None:
    """A proper pair is one character and welcome."""
    assert read_card(json.dumps(make.v1(name="🜁")).encode()).name == "🜁"


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xe2\x82"])
def test_invalid_utf8(bad: bytes) -> None:
    """Raw surrogates and other invalid UTF-8 are refused as such, in a file and in a picture."""
    data = make.to_json(make.v1(name="MARK")).replace(b"MARK", bad)
    refused(data, "not valid UTF-8")
    refused(make.png(make.chunk(b"tEXt", b"chara\0" + base64.b64encode(data))), "not valid UTF-8")


def test_refusals_quote_nothing() -> None:
    """No text and no unknown field name of a card gets into a refusal."""
    for card in (make.v2(hedda_secret="\0"), make.v2(extensions={"hedda_secret": "\0"}), make.v2(tags="hedda_secret")):
        with pytest.raises(CardRefused) as caught:
            read_card(make.to_json(card))
        assert "hedda_secret" not in str(caught.value)
        assert caught.value.__cause__ is None
