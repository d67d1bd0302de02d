"""Nights, and people with something to lose, for the tests of erasures."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.datamap.holdings import holdings
from mindstage.library.characters import import_character
from mindstage.library.models import Character
from mindstage.library.staging import stage_parts_of_starter
from mindstage.library.starters import starters
from mindstage.rights.erasure import Asked, find_request, run_due
from mindstage.rights.requests import ErasureRequest
from mindstage.rights.trash import end_due
from mindstage.stories.beginnings import begin_story
from mindstage.stories.models import Story, Turn
from mindstage.vault.clocks import turn_night
from mindstage.vault.keys import KeyGone, item_key, user_key
from mindstage.vault.marks import keystore_state
from mindstage.vault.models import ItemKey, UserKey
from mindstage.vault.purposes import Purpose
from mindstage.vault.rotation import rotate
from people import make_person


@dataclass(frozen=True)
class Life:
    """Somebody with a story and a character."""

    person: User
    story: Story
    character: Character


def make_life(handle: str) -> Life:
    person = make_person(handle)
    parts = stage_parts_of_starter(starters()[0], handle)
    story = begin_story(owner=person.pk, parts=parts, greeting=0, persona=handle)
    return Life(person, story, import_character(owner=person.pk, data=make.to_json(make.v2())))


def pass_nights(count: int, *, turning: bool = True) -> None:
    """What the night does about endings: the slow date moves, what is due ends, the epoch turns if keys died."""
    for _ in range(count):
        turn_night()
        end_due()
        run_due()
        if turning and keystore_state().dirty:
            rotate()


def request_of(asked: Asked) -> ErasureRequest:
    row = find_request(asked.claim_code)
    assert row is not None
    return row


def assert_gone(life: Life) -> None:
    person = life.person.pk
    assert [finding for holding in holdings() for finding in holding.remains(person)] == []
    assert not UserKey.objects.using("keystore").filter(pk=person).exists()
    assert not ItemKey.objects.using("keystore").filter(owner=person).exists()
    with pytest.raises(KeyGone):
        user_key(person)
    with pytest.raises(KeyGone):
        item_key(life.story.pk)


def assert_intact(life: Life) -> None:
    story = Story.objects.get(pk=life.story.pk)
    assert story.open("title", Purpose.SHOW)
    assert Turn.objects.get(story=story).open("text", Purpose.SHOW)
    assert User.objects.get(pk=life.person.pk).open("handle", Purpose.SHOW) == "ben"
