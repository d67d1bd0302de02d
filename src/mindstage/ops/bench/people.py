"""People and stories to measure with, made by the program's own deeds in a process of their own.

    python -m mindstage.ops.bench.people --stories 1024 --long 5000

prints one JSON object: the session's cookie and the stories' identifiers by kind. It runs on the instance that the
environment names, before the program starts.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import uuid
from typing import Any

LINE = "The lantern swung above the stair, and somebody below said nothing while rain moved along the roof. "


def main() -> None:
    """Prepare the instance, make one person and their stories, print where they are."""
    parser = argparse.ArgumentParser(description="Make people and stories for a measurement.")
    parser.add_argument("--stories", type=int, default=32)
    parser.add_argument("--long", type=int, default=5000, help="turns of the long story")
    options = parser.parse_args()
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindstage.config.settings")
    print(json.dumps(_make(options)), flush=True)


def _make(options: argparse.Namespace) -> dict[str, Any]:
    from django.conf import settings

    from mindstage.ops.starting import prepare

    prepared = prepare(settings.MINDSTAGE)
    prepared.socket.close()
    from mindstage.accounts.models import AgeBand
    from mindstage.accounts.sessions import begin_session
    from mindstage.accounts.sign_up import sign_up

    person = sign_up(handle="measure", passphrase=secrets.token_hex(16), age_band=AgeBand.ADULT)
    made = {
        "cookie": begin_session(person, "computer"),
        "quick": [_story(person.pk, "quick/fake") for _ in range(32)],
        "paced": [_story(person.pk, "paced/fake") for _ in range(options.stories)],
        "long": _story(person.pk, "recorded/fake", turns=options.long),
        "short": _story(person.pk, "recorded/fake", turns=50),
    }
    branched = _story(person.pk, "recorded/fake", turns=options.long)
    _branch(branched, at=10, turns=100)
    return made | {"branched": branched}


def _story(owner: uuid.UUID, route: str, *, turns: int = 1) -> str:
    from mindstage.library.staging import stage_parts_of_starter
    from mindstage.library.starters import starters
    from mindstage.stories.beginnings import begin_story

    parts = stage_parts_of_starter(starters()[0], "Measure")
    story = begin_story(owner=owner, parts=parts, greeting=0, persona="Measure")
    story.route = route
    story.save(update_fields=["route"])
    assert story.head
    _fill(story.pk, story.head.pk, range(1, turns))
    return str(story.pk)


def _fill(story: uuid.UUID, segment: uuid.UUID, positions: range) -> None:
    """Sealed turns, author and narrator by turns, each of about 300 characters."""
    from mindstage.stories.models import Turn

    kinds = (Turn.Kind.DO, Turn.Kind.REPLY)
    rows = [
        Turn(story_id=story, segment_id=segment, position=at, kind=kinds[(at - 1) % 2]).seal(text=f"{at}. {LINE * 3}")
        for at in positions
    ]
    Turn.objects.bulk_create(rows, batch_size=500)


def _branch(ident: str, *, at: int, turns: int) -> None:
    from mindstage.stories.models import Story, Turn
    from mindstage.stories.revisions import branch_from

    story = Story.objects.get(pk=ident)
    turn = Turn.objects.get(story=story, position=at)
    segment = branch_from(story=story, turn=turn)
    _fill(story.pk, segment.pk, range(at + 1, at + 1 + turns))


if __name__ == "__main__":
    main()
