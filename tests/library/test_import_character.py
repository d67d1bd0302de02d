"""Bringing a character: the whole card is kept, sealed, and a bad file leaves no trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.kit import ids
from mindstage.library import characters
from mindstage.library.cards import CardRefused
from mindstage.library.characters import import_character, list_characters, open_card, open_report
from mindstage.library.models import Character
from mindstage.vault.keys import KeyGone
from mindstage.vault.models import ItemKey
from mindstage.vault.purposes import Purpose
from people import make_person

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]


def bring(owner: User, card: Any) -> Character:
    return import_character(owner=owner.pk, data=make.to_json(card))


@pytest.mark.parametrize("card", [make.v1(), make.v2(), make.v3(), make.pygmalion()])
def test_what_is_sealed_is_the_whole_card(card: dict[str, Any]) -> None:
    """Unknown fields, extensions, lore of other programs: the object that is kept equals the one that came."""
    row = Character.objects.get(pk=bring(make_person(), card).pk)
    assert json.loads(row.open_bytes("card", Purpose.SHOW)) == card
    assert open_card(row, Purpose.IMPORT).raw == card
    assert row.open("name", Purpose.SHOW) == "Hedda Quill"


def test_a_picture_carries_the_same_card() -> None:
    """Out of a PNG comes the same object, and the row remembers what only the picture could tell."""
    both = make.png(make.text_chunk(make.v2()), make.text_chunk(make.v3(), "ccv3"))
    row = import_character(owner=make_person().pk, data=both, filename_hint="x.png")
    assert open_card(row, Purpose.SHOW).raw == make.v3()
    report = open_report(row)
    assert any("twice" in sentence for sentence in report)
    assert not set(report) & set(open_card(row, Purpose.SHOW).notices)


def test_numbers_and_signs_survive() -> None:
    """Floats, large integers, control characters and astral letters come back as they were."""
    card = make.v2(extensions={"n": [0.1, -1e300, 2**63 - 1, True, None], "s": "\x01\t\u2028𝄞", "": {"ä": []}})
    assert open_card(bring(make_person(), card), Purpose.SHOW).raw == card


def test_a_card_that_grows_in_its_kept_form_can_be_read_again() -> None:
    """Two million control characters are six times as long in canonical JSON, past the limit of a file."""
    card = make.v1(**{f"x{i}": "\x01" * 99_000 for i in range(20)})
    data = json.dumps(card, ensure_ascii=False).replace("\\u0001", "\x01").encode()
    row = import_character(owner=make_person().pk, data=data)
    assert open_card(row, Purpose.SHOW).raw == card


def test_a_refused_file_leaves_nothing() -> None:
    """Neither a row nor a key is made for a file that is no card."""
    owner = make_person().pk
    for data in (b"", b"hello", b"{}", make.png(), make.png_card(make.v2(name=["a", "list"]))):
        with pytest.raises(CardRefused):
            import_character(owner=owner, data=data)
    assert (Character.objects.count(), ItemKey.objects.count()) == (0, 0)


def test_a_frozen_account_brings_nothing() -> None:
    """The row is not made once its owner is frozen."""
    owner = make_person()
    User.objects.filter(pk=owner.pk).update(state=User.State.FROZEN)
    with pytest.raises(KeyGone):
        bring(owner, make.v1())
    assert Character.objects.count() == 0


def test_nobody_brings_for_an_account_without_a_key() -> None:
    """An account that is gone has no key that could wrap another."""
    with pytest.raises(KeyGone):
        import_character(owner=ids.unordered(), data=make.to_json(make.v1()))


def test_the_same_card_again_is_another_character() -> None:
    """Two imports, two characters with keys of their own."""
    owner = make_person()
    assert bring(owner, make.v2()).pk != bring(owner, make.v2()).pk
    assert (len(list_characters(owner.pk)), ItemKey.objects.count()) == (2, 2)


def test_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest first, page by page, one's own alone."""
    monkeypatch.setattr(characters, "PAGE", 2)
    ada, cleo = make_person("ada"), make_person("cleo")
    for number in range(3):
        bring(ada, make.v1(name=f"Hedda {number}"))
    first = list_characters(ada.pk)
    assert [row.name for row in first] == ["Hedda 2", "Hedda 1"]
    assert [row.name for row in list_characters(ada.pk, before=first[-1].id)] == ["Hedda 0"]
    assert list_characters(cleo.pk) == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "For rainy evenings."),
        ({"creator_notes": "<div style='x'>![pic](https://example.org/p.png) **For** _rain_.</div>"}, "For rain."),
        ({"creator_notes": " "}, "bridge · Rain"),
        ({"creator_notes": "", "tags": []}, "By somebody"),
        ({"creator_notes": "", "tags": [], "creator": ""}, ""),
    ],
)
def test_the_line_of_a_character(changes: dict[str, Any], line: str) -> None:
    """What its maker says of it, without markup and pictures; never what is meant for the narrator."""
    owner = make_person()
    bring(owner, make.v2(**changes))
    assert [row.line for row in list_characters(owner.pk)] == [line]


def test_a_long_line_is_cut() -> None:
    """A list is not a page of notes."""
    owner = make_person()
    bring(owner, make.v2(creator_notes="word " * 5_000))
    line = list_characters(owner.pk)[0].line
    assert len(line) <= 140
    assert line.endswith("…")


@pytest.mark.sqlite
@pytest.mark.django_db(databases=["default", "keystore"], transaction=True)
def test_no_word_of_a_card_is_in_any_file() -> None:
    """After an import the raw bytes of the data folder hold ids, and nothing that stands in the card."""
    owner = make_person()
    row = bring(owner, make.v3(name="Zyxquova Planter", creator_notes="Quillbramble for dusk.", tags=["vexmoth"]))
    found = _all_bytes(settings.MINDSTAGE.data_dir)
    assert row.pk.hex.encode() in found  # the scan sees what lies there in clear
    words = ["Zyxquova", "Quillbramble", "vexmoth", "toll gate", "Two coins", "doubled in the year", "who/knows"]
    for word in words:
        for encoding in ("utf-8", "utf-16-le"):
            assert word.encode(encoding) not in found


def _all_bytes(folder: Path) -> bytes:
    for alias in ("default", "keystore"):
        connections[alias].close()
    return b"\0".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())
