"""A turn without scripts: the page's form plays it, once, on the branch that the page shows, and loses no line."""

from __future__ import annotations

import re
import uuid

import pytest
from django.db import connection
from django.urls import reverse

from fakes.provider import Finish, Hold, Words, words
from mindstage.stories import form_turns, revisions
from mindstage.stories.drafts import find_draft, save_draft
from mindstage.stories.models import Story, Turn
from people import signed_in_client
from stories.house import House, eventually
from stories.scenes import Player, last_reply, make_story, scene_of, text_of, texts_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])


def form_of(player: Player, story: Story) -> dict[str, str]:
    """The hidden fields of the composer on a freshly opened page."""
    page = signed_in_client(player.account).get(reverse("story", args=[story.pk])).content.decode()
    return dict(re.findall(r'<input type="hidden" name="(form|segment)" value="([^"]+)"', page))


def send(player: Player, story: Story, form: dict[str, str], text: str = "I knock.") -> int:
    answer = signed_in_client(player.account).post(
        reverse("turns", args=[story.pk]), {**form, "text": text, "mode": "say"}
    )
    return answer.status_code


def test_a_form_plays_a_turn(house: House, player: Player) -> None:
    """The page comes back at once, the reply is written, and the draft that was played is gone."""
    story = make_story(player.account)
    save_draft(story=story, mode="say", text="I kno")
    assert send(player, story, form_of(player, story)) == 302
    eventually(lambda: last_reply(story).state == "finished")
    assert texts_of(story, kind="say") == ["I knock."]
    assert find_draft(story).text == ""


def test_a_form_sent_twice_is_one_turn(house: House, player: Player) -> None:
    """While the reply runs and after it; another line from the same page is another turn."""
    story = make_story(player.account)
    form = form_of(player, story)
    house.script(Words(3), Hold(), Finish())
    assert [send(player, story, form) for _ in range(3)] == [302] * 3
    house.release()
    eventually(lambda: last_reply(story).state == "finished")
    assert send(player, story, form) == 302
    assert text_of(last_reply(story)) == words(3)
    assert send(player, story, form, "I knock again.") == 302
    eventually(lambda: last_reply(story).state == "finished")
    assert texts_of(story, kind="say") == ["I knock.", "I knock again."]
    assert len(house.provider.requests) == 2


def test_a_refused_line_becomes_the_draft(house: House, player: Player) -> None:
    """While the narrator writes the line is refused with a sentence, and stands in the composer afterwards."""
    story = make_story(player.account)
    house.script(Words(3), Hold(), Finish())
    reader = house.take(player, story)
    reader.begun()
    assert send(player, story, form_of(player, story), "And then?") == 409
    assert find_draft(story).text == "And then?"
    house.release()
    reader.to_end()


def test_a_form_plays_on_its_branch(house: House, player: Player) -> None:
    """A page of another branch than the one that is played now appends to its own."""
    story = make_story(player.account, turns=5)
    form = form_of(player, story)
    revisions.branch_from(story=story, turn=Turn.objects.get(story=story, position=1))
    story.refresh_from_db()
    assert form["segment"] != str(story.head_id)
    assert send(player, story, form) == 302
    assert str(scene_of(story).head) == form["segment"]
    assert Turn.objects.get(story=story, kind="say").position == 5
    eventually(lambda: last_reply(story).state == "finished")


def test_a_page_that_waited_too_long_leaves_no_reply_hanging(
    house: House, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn that is stored after its page gave up still gets its reply; sending the form again finds it."""
    monkeypatch.setattr(form_turns, "STORED_WITHIN", 0.05)
    story = make_story(player.account)
    form = form_of(player, story)
    gate = house.busy_database()
    assert send(player, story, form) == 503
    gate.set()
    eventually(lambda: Turn.objects.filter(story=story, kind="reply", state="finished").exists())
    monkeypatch.setattr(form_turns, "STORED_WITHIN", 5)
    assert send(player, story, form) == 302
    assert texts_of(story, kind="say") == ["I knock."]
    connection.close()


@pytest.mark.parametrize("form", ["", "x", str(uuid.UUID(int=0))])
def test_a_form_without_its_number_plays_too(form: str, house: House, player: Player) -> None:
    story = make_story(player.account)
    assert send(player, story, {"form": form, "segment": "x"}) == 302
    eventually(lambda: last_reply(story).state == "finished")
