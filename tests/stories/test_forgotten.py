"""What is deleted for good is in no memory of a narrator on this machine either."""

from __future__ import annotations

import pytest

from mindstage.gateway import converse
from mindstage.rights.trash import end_now
from mindstage.stories.models import Turn
from mindstage.stories.revisions import trash_turn
from mindstage.stories.trash import end_turn_now, trash_story
from stories.house import House, Player, eventually
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)


@pytest.mark.parametrize("what", ["turn", "turn in the trash", "story"])
def test_a_narrator_forgets_what_is_deleted_for_good(
    house: House, player: Player, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """At once, and not when five idle minutes are over: a turn, one that lay in the trash, a story."""
    forgotten: list[str] = []

    async def forget(person: str) -> None:
        forgotten.append(person)

    monkeypatch.setattr(converse, "forget", forget)
    story = make_story(player.account, turns=5)
    turn = Turn.objects.get(story=story, position=3)
    if what == "turn":
        end_turn_now(turn=turn)
    elif what == "story":
        trash_story(story=story)
        assert end_now(player.account.pk, story.pk)
    else:
        trash_turn(turn=turn)
        assert forgotten == []
        assert end_now(player.account.pk, turn.pk)
    eventually(lambda: forgotten == [str(player.account.pk)])
