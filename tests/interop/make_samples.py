"""Books, cards and chats for other programs to read: run by bin/interop, never by bin/test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from library import card_makers as make
from mindstage.library.characters import import_character
from mindstage.stories.models import Turn
from people import make_person
from rights.takeouts import take_out, unzip
from stories.scenes import fork, make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])

HARD = (
    "# A heading\n\n* a\n* b\n\n1. x\n2. y\n\n> quoted\n\n```\ncode <b> & \n```\n***\n\n[a link](https://x.org/?b=1&c=2)",
    "3. three\n4. four\n\n----\n\n<script>alert(1)</script> &nbsp; &amp; ~~no~~ **b** *i*\nnext\u00a0line",
    "![a picture](https://x/y.png) <https://x.org> [bad](javascript:x)",
    "\x01\x02\x0b\uffff control ]]> <!-- a comment --> 𝄞 ü 漢字 \u202eright to left",
)


def test_make_samples(vault: None) -> None:
    """One story with every kind of turn and of Markdown, three of plain ones, a card of each form."""
    folder = Path(os.environ["INTEROP_SAMPLES"])
    person = make_person("ada")
    _write_hard_story(person.pk)
    for turns in (1, 5, 240):
        story = make_story(person, turns=turns)
        assert story.head
        fork(story, parent=story.head, at=1, count=2)
    for card in (make.v1(), make.v2(), make.v3(), make.pygmalion()):
        import_character(owner=person.pk, data=make.to_json(card))
    for name, content in unzip(take_out(person)).items():
        if name.startswith(("stories/", "characters/")):
            (folder / name.replace("/", "_")).write_bytes(content)


def _write_hard_story(owner: object) -> None:
    from mindstage.accounts.models import User

    story = make_story(User.objects.get(pk=owner))
    kinds = [kind for kind in Turn.Kind.values if kind != Turn.Kind.OPENING]
    for position, text in enumerate(HARD * 5, start=1):
        turn = Turn(story=story, segment=story.head, position=position, kind=kinds[position % len(kinds)])
        turn.seal(text=text).save(force_insert=True)
    story.seal(title='A <title> & "more" \x01').save()
