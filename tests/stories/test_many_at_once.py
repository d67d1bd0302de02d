"""Many clients, two tabs, and the same form twice: each line is stored once, in order, or refused with a sentence."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fakes.provider import Finish, Hold, Words, words
from mindstage.stories import paths, revisions
from mindstage.stories.models import Turn
from people import make_person
from stories.house import House, allow, eventually
from stories.scenes import Player, last_reply, make_player, make_story, new_id, open_rows, scene_of, text_of, texts_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])


def test_twenty_clients_into_one_story(house: House, player: Player) -> None:
    """All at once, each form sent twice: 20 lines once each, every reply right after its line, no place used twice."""
    story = make_story(player.account)
    house.provider.always(Words(3), Finish())
    waiting: dict[str, uuid.UUID] = {f"line {number}": new_id() for number in range(20)}
    placed: dict[str, int] = {}
    for _ in range(20):
        asked = [
            (line, house.take(player, story, line, client_id=client_id))
            for line, client_id in waiting.items()
            for _ in range(2)
        ]
        for line, answer in asked:
            answer.to_end()
            assert answer.status in (200, 409)
            if answer.status == 409:
                assert "still writing" in answer.say
                continue
            assert answer.done["state"] == "finished"
            assert answer.text == words(3)
            told = answer.begun()["turn"]["position"]
            assert placed.setdefault(line, told) == told
        waiting = {line: client_id for line, client_id in waiting.items() if line not in placed}
        if not waiting:
            break
    assert not waiting
    rows = list(Turn.objects.filter(story=story).order_by("position"))
    assert [row.position for row in rows] == list(range(41))
    assert [row.kind for row in rows] == ["opening"] + ["do", "reply"] * 20
    assert sorted(texts_of(story, kind="do")) == sorted(placed)
    assert [text_of(rows[position]) for position in sorted(placed.values())] == [
        line for line, _ in sorted(placed.items(), key=lambda pair: pair[1])
    ]
    assert len(house.provider.requests) == 20


def test_a_form_sent_twice_at_once(house: House, player: Player) -> None:
    """Both readers get the same turn, the same reply and all of its words; the narrator is asked once."""
    story = make_story(player.account)
    house.script(Words(4), Hold(), Words(4), Finish())
    client_id = new_id()
    first, second = (house.take(player, story, client_id=client_id) for _ in range(2))
    ids = [{key: reader.begun()[key] for key in ("turn", "reply", "run")} for reader in (first, second)]
    assert ids[0] == ids[1]
    eventually(lambda: first.text == second.text == words(4))
    house.provider.release()
    assert first.done == second.done
    assert first.text == second.text == words(8)
    third = house.take(player, story, client_id=client_id)
    assert third.done["state"] == "finished"
    assert third.text == words(8)
    house.narration.bus.channels.clear()
    assert house.take(player, story, client_id=client_id).to_end().text == words(8)
    assert len(house.provider.requests) == 1
    assert Turn.objects.filter(story=story).count() == 3


def test_a_second_line_waits(house: House, player: Player) -> None:
    """While a reply runs another line is refused with a sentence; after it the same line is played."""
    story = make_story(player.account)
    house.script(Words(4), Hold(), Finish())
    first = house.take(player, story)
    first.begun()
    client_id = new_id()
    refused = house.take(player, story, "And then?", client_id=client_id).to_end()
    assert (refused.status, "still writing" in refused.say) == (409, True)
    assert "And then?" not in texts_of(story)
    house.release()
    first.to_end()
    assert house.take(player, story, "And then?", client_id=client_id).done["state"] == "finished"


def test_one_person_has_only_so_many_replies_at_once(house: House, player: Player, settings: Any) -> None:
    """Asked for in one moment, in as many stories; others are not held up, and an ended reply makes room again."""
    allow(settings, replies_at_once=2)
    ben = make_player(make_person("ben"))
    stories = [make_story(player.account) for _ in range(5)]
    house.provider.always(Words(2), Hold(), Finish())
    answers = [house.take(player, story) for story in stories]
    eventually(lambda: all(answer.status for answer in answers))
    assert sorted(answer.status for answer in answers) == [200, 200, 429, 429, 429]
    refused = next(at for at, answer in enumerate(answers) if answer.status == 429)
    assert "as many replies" in answers[refused].say
    assert texts_of(stories[refused], kind="do") == []
    other = house.take(ben, make_story(ben.account))
    taken = [other, *(answer for answer in answers if answer.status == 200)]
    for answer in taken:
        answer.until_deltas(1)  # a hold that is reached after the release would hold
    house.provider.release()
    assert [answer.done["state"] for answer in taken] == ["finished"] * 3
    house.provider.always(Words(2), Finish())
    assert house.take(player, stories[refused]).done["state"] == "finished"


def test_two_tabs_on_two_branches(house: House, player: Player) -> None:
    """Each tab says which branch it shows, and its lines go there, whatever the other tab has moved to."""
    story = make_story(player.account, turns=5)
    one = story.head_id
    assert one is not None
    turn = Turn.objects.get(story=story, position=2)
    two = revisions.branch_from(story=story, turn=turn).pk
    for number in range(3):
        for segment, name in ((one, "one"), (two, "two")):
            answer = house.take(player, story, f"{name} {number}", segment=str(segment))
            assert answer.done["state"] == "finished"
            assert answer.begun()["segment"] == str(segment)
    scene = scene_of(story)
    for segment, name, start in ((one, "one", 5), (two, "two", 3)):
        texts = open_rows(scene, paths.read_back(segment, limit=99))
        assert texts[start::2] == [f"{name} {number}" for number in range(3)]
        assert len(texts) == start + 6


def test_no_branch_of_another_story(house: House, player: Player) -> None:
    """A line for a branch that is elsewhere is refused, and the story stays where it was."""
    story, other = make_story(player.account), make_story(player.account)
    refused = house.take(player, story, segment=str(other.head_id)).to_end()
    assert refused.status == 404
    assert scene_of(story).head == story.head_id
    assert Turn.objects.count() == 2


def test_many_stories_at_once(house: House, player: Player, settings: Any) -> None:
    """Replies of many stories run side by side, each with its own words."""
    allow(settings, replies_at_once=12)
    stories = [make_story(player.account) for _ in range(12)]
    for number in range(12):
        house.script(Words(number + 1, 200), Finish())
    readers = [house.take(player, story) for story in stories]
    assert sorted(len(reader.to_end().text.split()) for reader in readers) == list(range(1, 13))
    for story, reader in zip(stories, readers, strict=True):
        assert text_of(last_reply(story)) == reader.text


def test_a_version_and_a_continuation_by_the_wire(house: House, player: Player) -> None:
    """Regenerate, continue and go on as the page asks for them; an older reply begins a branch and says so."""
    story = make_story(player.account)
    first = house.take(player, story)
    first.to_end()
    house.script(Words(2), Finish())
    again = house.draw(player, story, "regenerate", first.run)
    assert again.done["state"] == "finished"
    assert again.begun()["segment"] == str(story.head_id)
    onward = house.draw(player, story, "go_on")
    assert (onward.begun()["turn"], onward.begun()["reply"]["position"]) == (None, 3)
    onward.to_end()
    earlier = house.draw(player, story, "regenerate", again.run)
    assert earlier.begun()["segment"] != str(story.head_id)
    earlier.to_end()
    assert house.draw(player, story, "erase", again.run).to_end().status == 400


def test_continue_tells_only_what_is_new(house: House, player: Player) -> None:
    """The page has the words that are gone on from: it is told where they end, and gets the rest."""
    story = make_story(player.account)
    house.script(Words(3), Finish())
    first = house.take(player, story)
    first.to_end()
    house.script(Words(1), Finish())
    onward = house.draw(player, story, "continue", first.run)
    onward.to_end()
    assert onward.begun()["from"] == len(words(3))
    assert text_of(last_reply(story)) == words(3) + onward.text
    assert house.resume(player, onward.run, after=0).to_end().text == words(3) + onward.text
