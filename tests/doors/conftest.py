"""The house of the tests about doors."""

from __future__ import annotations

import pytest

from doors.house import House
from library import card_makers as make
from mindstage.accounts.models import Factor, Session, User
from mindstage.accounts.sessions import begin_session
from mindstage.library.characters import import_character
from mindstage.library.materials import make_material
from mindstage.library.staging import stage_parts_of_starter
from mindstage.library.starters import starters
from mindstage.library.trash import trash_item
from mindstage.rights.export import request_export
from mindstage.stories import revisions
from mindstage.stories.beginnings import begin_story
from mindstage.stories.keeping import keep_as_scenario
from mindstage.stories.models import Turn
from people import make_person


@pytest.fixture
def house(vault: None) -> House:
    ada, cleo = make_person("ada"), make_person("cleo")
    User.objects.filter(pk=ada.pk).update(owner=True)
    parts = stage_parts_of_starter(starters()[0], "Ada")
    story, other = (begin_story(owner=one.pk, parts=parts, greeting=0, persona="Ada") for one in (ada, cleo))
    turn = Turn.objects.get(story=story)
    reply = Turn(story=story, segment=story.head, position=1, kind=Turn.Kind.REPLY).seal(text="Rain.")
    reply.save(force_insert=True)
    segment = revisions.branch_from(story=story, turn=turn)
    character = import_character(owner=ada.pk, data=make.to_json(make.v2()))
    begin_session(ada, "computer")
    session = Session.objects.filter(account=ada).first()
    assert session
    item = import_character(owner=ada.pk, data=make.to_json(make.v2()))
    trash_item(item)
    persona = make_material(owner=ada.pk, kind="persona", name="Mara", content={"about": "A lamplighter."})
    lorebook = make_material(owner=ada.pk, kind="lorebook", name="Lamps")
    names = {
        "persona": persona.pk,
        "lorebook": lorebook.pk,
        "scenario": keep_as_scenario(story).pk,
        "export": request_export(owner=ada.pk).pk,
        "item": item.pk,
        "character": character.pk,
        "turn": turn.pk,
        "segment": segment.pk,
        "session": session.ident,
    }
    passkey = Factor(account=ada, kind=Factor.Kind.PASSKEY)
    passkey.seal(sealed='{"name": "A key", "host": "localhost", "added": "2026-01-01"}').save(force_insert=True)
    names["passkey"] = passkey.pk
    return House(ada, cleo, story, turn, reply, segment, other, names)
