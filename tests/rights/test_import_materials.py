"""Personas, lorebooks and scenarios that were taken out come in again, whatever else their files held."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.cards import limits
from mindstage.library.characters import import_character
from mindstage.library.lorebooks import import_lorebook, keep_book_of
from mindstage.library.materials import open_content
from mindstage.library.models import Material
from mindstage.vault.purposes import Purpose
from people import make_person
from rights.takeouts import bring, empty_exports, take_out

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    yield make_person("ada")
    empty_exports()


def nested(levels: int) -> dict[str, Any]:
    return {"a": nested(levels - 1)} if levels else {}


def come_back(ada: User) -> Any:
    """What a lorebook of hers holds in another account, out of an archive."""
    ben = make_person("ben")
    bring(ben, take_out(ada))
    return open_content(Material.objects.get(owner=ben), Purpose.SHOW)


def test_a_lorebook_as_deep_as_any_comes_back(ada: User) -> None:
    """Other programs' settings go along, up to the last level that a file may have."""
    book = {"entries": [{"keys": ["lamp"], "content": "It burns."}], "extensions": nested(limits.JSON_DEPTH - 2)}
    import_lorebook(owner=ada.pk, data=json.dumps(book).encode())
    assert come_back(ada) == book


def test_the_book_of_a_deep_card_comes_back(ada: User) -> None:
    """The same out of a character."""
    book = {"entries": [], "extensions": nested(limits.JSON_DEPTH - 4)}
    card = make.v3()
    card["data"]["character_book"] = book
    keep_book_of(import_character(owner=ada.pk, data=make.to_json(card)))
    assert come_back(ada) == book
