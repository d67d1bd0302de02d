"""Character cards that are in order: every kind is read, and everything in them is kept."""

from __future__ import annotations

import base64
import io
import zlib

import pytest
from PIL import Image, PngImagePlugin

from library import card_makers as make
from mindstage.library.cards import read_card
from mindstage.library.cards.lore import split_decorators


def test_v1_json() -> None:
    """The six fields of a V1 card are read from the top level."""
    card = read_card(make.to_json(make.v1()))
    assert (card.spec, card.name, card.picture) == ("v1", "Hedda Quill", None)
    assert card.description == make.V1["description"]
    assert card.greetings == (make.V1["first_mes"],)
    assert card.example_dialogue == make.V1["mes_example"]
    assert card.notices == ()


def test_v2_in_a_picture() -> None:
    """A V2 card is read out of a PNG, with all its fields, and the picture comes along untouched."""
    data = make.png_card(make.v2())
    card = read_card(data)
    assert (card.spec, card.picture) == ("v2", data)
    assert card.system_prompt == "{{original}} Keep it short."
    assert card.post_history_instructions == "Never name the river."
    assert (card.creator, card.creator_notes, card.character_version) == ("somebody", "For rainy evenings.", "1.2")
    assert card.tags == ("bridge", "Rain")


def test_v3() -> None:
    """A V3 card adds a nickname and greetings for groups."""
    card = read_card(make.png_card(make.v3(), "ccv3"))
    assert (card.spec, card.nickname, card.group_greetings) == ("v3", "Hedda", ("“All of you?”",))


def test_pygmalion() -> None:
    """The older Pygmalion form is understood."""
    card = read_card(make.to_json(make.pygmalion()))
    assert (card.spec, card.name, card.description) == ("pygmalion", "Hedda Quill", "Keeps the toll gate.")
    assert (card.scenario, card.greetings) == ("A bridge in rain.", ("“Two coins.”",))


def test_ccv3_wins_over_chara() -> None:
    """With both chunks in any order the V3 one is read, and the report says so."""
    old, new = make.text_chunk(make.v2(name="Old")), make.text_chunk(make.v3(name="New"), "ccv3")
    for data in (make.png(old, new), make.png(new, old)):
        card = read_card(data)
        assert (card.spec, card.name) == ("v3", "New")
        assert any("twice" in notice for notice in card.notices)


@pytest.mark.parametrize("keyword", ["Chara", "CHARA", "CCv3"])
def test_keywords_in_any_case(keyword: str) -> None:
    """Chunk keywords are compared without regard to case."""
    assert read_card(make.png_card(make.v3(), keyword)).spec == "v3"


def test_packed_and_international_text_chunks() -> None:
    """A picture that was saved again with zTXt or iTXt chunks still gives its card."""
    packed = base64.b64encode(make.to_json(make.v2()))
    chunks = [
        make.chunk(b"zTXt", b"chara\0\0" + zlib.compress(packed)),
        make.chunk(b"iTXt", b"chara\0\0\0\0\0" + packed),
        make.chunk(b"iTXt", b"chara\0\1\0en\0chara\0" + zlib.compress(packed)),
    ]
    for chunk in chunks:
        assert read_card(make.png(chunk)).raw == make.v2()


def test_the_first_of_several_cards_counts() -> None:
    """Only the first card of a form is read; the others are not even unpacked, and the report says so."""
    card = read_card(make.png(make.text_chunk(make.v2()), make.chunk(b"zTXt", b"chara\0\0not packed")))
    assert card.raw == make.v2()
    assert any("the first was read" in notice for notice in card.notices)


def test_a_picture_that_another_program_wrote() -> None:
    """Pictures as Pillow writes them are read, text chunks packed or not, before or after the pixels."""
    text = base64.b64encode(make.to_json(make.v3())).decode()
    for packed in (False, True):
        info, file = PngImagePlugin.PngInfo(), io.BytesIO()
        info.add_text("ccv3", text, zip=packed)
        info.add_itxt("chara", text, zip=packed)
        Image.new("RGB", (64, 96), "teal").save(file, "PNG", pnginfo=info)
        assert read_card(file.getvalue()).raw == make.v3()
    end = file.getvalue().rindex(b"IEND") - 4
    assert read_card(file.getvalue()[:end] + make.text_chunk(make.v2()) + file.getvalue()[end:]).spec == "v3"


def test_base64_with_line_breaks_and_without_padding() -> None:
    """Sloppy base64 is forgiven."""
    packed = base64.encodebytes(make.to_json(make.v1())).rstrip(b"=\n")
    assert read_card(make.png(make.chunk(b"tEXt", b"chara\0" + packed))).name == "Hedda Quill"


def test_an_animated_picture_with_something_behind_it() -> None:
    """An APNG is a PNG, and bytes after its end are not read."""
    control = make.chunk(b"acTL", b"\0\0\0\1\0\0\0\0")
    card = read_card(make.png(control, make.text_chunk(make.v2())) + b"PK\x03\x04")
    assert any("after the end" in notice for notice in card.notices)


@pytest.mark.parametrize("card", [make.v1(), make.v2(), make.v3(), make.pygmalion()])
def test_raw_is_the_whole_object(card: dict[str, object]) -> None:
    """Unknown fields, extensions and book entries survive: the object is kept as it came."""
    assert read_card(make.to_json(card)).raw == card


def test_extensions_are_kept_and_reported() -> None:
    """Settings of other programs are handed on untouched, and the person hears of them."""
    card = read_card(make.to_json(make.v2()))
    assert card.extensions == make.v2()["data"]["extensions"]
    assert any("extensions" in notice for notice in card.notices)
    assert any("does not know" in notice for notice in card.notices)


def test_greetings_keep_their_order() -> None:
    """The first message comes first, then the alternates as listed; blank ones are no choice."""
    card = read_card(make.to_json(make.v2(alternate_greetings=["b", " ", "c"], first_mes="a")))
    assert card.greetings == ("a", "b", "c")


def test_null_and_missing_mandatory_fields_are_empty() -> None:
    """A mandatory text that is null or missing is "", never None; no greeting at all is said."""
    card = read_card(make.to_json({"mes_example": None, "name": "N", "description": None}))
    assert (card.description, card.personality, card.example_dialogue, card.greetings) == ("", "", "", ())
    assert any("“description” was null" in notice for notice in card.notices)
    assert any("no greeting" in notice for notice in card.notices)


def test_a_nameless_card_gets_a_name() -> None:
    """Somebody must speak: the nickname stands in, or a word."""
    assert read_card(make.to_json(make.v3(name=" "))).name == "Hedda"
    assert read_card(make.to_json(make.v1(name=None))).name == "Unnamed"
    assert read_card(make.to_json(make.v1(name=" Hedda\n Quill "))).name == "Hedda Quill"


@pytest.mark.parametrize(
    ("version", "newer"), [("3.0", False), ("3", False), ("3.10", True), ("12.0", True), (3.5, True)]
)
def test_newer_versions_are_read_with_a_notice(version: object, newer: bool) -> None:
    """V3 versions compare as numbers; a newer one is imported and said."""
    card = read_card(make.to_json(make.v3() | {"spec_version": version}))
    assert any("newer version" in notice for notice in card.notices) == newer


def test_odd_versions_are_read() -> None:
    """A missing or senseless version is a notice, not a refusal."""
    for version in (None, "", "three", "nan", "1.0"):
        card = read_card(make.to_json(make.v3() | {"spec_version": version}))
        assert any("missing or odd" in notice for notice in card.notices)


def test_lore() -> None:
    """A book's entries are read with their keys, order and switches."""
    (entry,) = read_card(make.to_json(make.v2())).lore
    assert (entry.name, entry.keys, entry.secondary_keys) == ("Toll", ("toll", "coin"), ("flood",))
    assert (entry.selective, entry.constant, entry.enabled, entry.order) == (True, False, True, 20)
    assert entry.content == "The toll was doubled in the year of the flood."


def test_lore_in_odd_shapes() -> None:
    """Keys in one text, missing fields, numbers as ids and names, entries by number: what they mean is clear."""
    odd = {"0": {"id": 7, "keys": "ferry, boat ,,", "content": "Tarred.", "insertion_order": "5"}, "1": {"key": ["x"]}}
    card = read_card(make.to_json(make.v2(character_book={"entries": odd})))
    assert [entry.keys for entry in card.lore] == [("ferry", "boat"), ("x",)]
    assert (card.lore[0].name, card.lore[0].order, card.lore[0].enabled) == ("ferry", 5, True)
    assert card.lore[1].content == ""


def test_lore_patterns_are_marked() -> None:
    """Only real patterns count as such: some programs declare every entry to be one."""
    entries = [
        {"keys": ["plain words"], "use_regex": True},
        {"keys": ["toll(s)?"], "use_regex": True},
        {"keys": ["/to+ll/i"]},
        {"keys": ["what?"]},
    ]
    card = read_card(make.to_json(make.v2(character_book={"entries": entries})))
    assert [entry.use_regex for entry in card.lore] == [False, True, True, False]
    assert any("2 of 4 lore entries look for patterns" in notice for notice in card.notices)


def test_lore_decorators_do_not_reach_the_prompt() -> None:
    """Decorator lines leave the content; always and never are honoured, the rest is said to be unused."""
    contents = ["@@activate\nA", "@@dont_activate\nB", "@@depth 4\n@@@fallback 1\nC", "@@dont_activate\n@@activate\nD"]
    entries = [{"keys": ["k"], "content": content} for content in contents]
    card = read_card(make.to_json(make.v2(character_book={"entries": entries})))
    assert [entry.content for entry in card.lore] == ["A", "B", "C", "D"]
    assert [entry.constant for entry in card.lore] == [True, False, False, True]
    assert [entry.enabled for entry in card.lore] == [True, False, True, True]
    assert sum("decorators" in notice for notice in card.notices) == 1


def test_a_million_decorators_are_read_once() -> None:
    """Text that is nothing but decorator lines costs one pass, not one copy of the rest for each line."""
    names, rest = split_decorators("@@depth 4\n" + "@@\n" * 1_000_000 + "The rest.\n@@kept")
    assert (names, rest) == ({"depth"}, "The rest.\n@@kept")
    assert split_decorators("@@activate") == ({"activate"}, "")


def test_a_card_does_not_show_itself() -> None:
    """The printed form of a card holds none of its text, so no log line does either."""
    printed = repr(read_card(make.to_json(make.v3())))
    assert "Hedda" not in printed
    assert "toll" not in printed
    assert "v3" in printed
