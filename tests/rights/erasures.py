"""Nights, and people with something to lose, for the tests of erasures."""

from __future__ import annotations

from dataclasses import dataclass

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.characters import import_character
from mindstage.library.models import Character
from mindstage.library.staging import stage_parts_of_starter
from mindstage.library.starters import starters
from mindstage.rights.erasure import run_due
from mindstage.rights.trash import end_due
from mindstage.stories.beginnings import begin_story
from mindstage.stories.models import Story
from mindstage.vault.clocks import turn_night
from mindstage.vault.marks import keystore_state
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
