"""A narrator is asked while the disk takes the line, and nobody is told of the line before the disk has it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.urls import reverse

from fakes.provider import Finish, Hold, Words, words
from mindstage.gateway.models import Sending
from mindstage.stories import hot_path
from mindstage.stories.models import Story, Turn
from mindstage.stories.refusals import MayBeStored
from mindstage.stories.write_ahead import WriteAheadLog
from people import signed_in_client
from stories.house import House, eventually
from stories.scenes import Player, last_reply, make_story, new_id, texts_of

from .disks import Disk

pytestmark = [pytest.mark.django_db(transaction=True, databases=["default", "keystore"]), pytest.mark.sqlite]


@pytest.fixture
def disk(house: House) -> Iterator[Disk]:
    """The disk of the house."""
    made = Disk()
    before, house.database._log = house.database._log, WriteAheadLog(force=made.force)
    before.close()
    yield made
    made.release()


@pytest.fixture
def story(house: House, player: Player, disk: Disk) -> Story:
    """One whose narrator has had a line of it before."""
    made = make_story(player.account)
    house.script(Words(3), Finish())
    assert house.take(player, made, "I knock.").done["state"] == "finished"
    return made


def test_the_narrator_is_asked_and_the_page_waits(house: House, player: Player, story: Story, disk: Disk) -> None:
    """No byte of the answer comes before the disk has the line; then the words that came meanwhile do."""
    house.script(Words(5), Hold(), Finish())
    disk.hold()
    reading = house.take(player, story, "I open the door.")
    eventually(lambda: house.provider.holding)
    assert (reading.status, reading.body) == (0, b"")
    disk.release()
    house.release()
    assert (reading.done["state"], reading.text) == ("finished", words(5))


def test_who_gets_the_words_for_the_first_time_is_on_the_disk_before(house: House, player: Player, disk: Disk) -> None:
    """A power cut may lose a count, never a recipient."""
    story = make_story(player.account)
    disk.hold()
    reading = house.take(player, story, "I open the door.")
    assert disk.asked.wait(5)
    eventually(lambda: Sending.objects.count() == 1)
    house.run(nothing())
    assert not house.provider.requests
    disk.release()
    assert reading.begun()
    eventually(lambda: len(house.provider.requests) == 1)


async def nothing() -> None:
    """The loop has come round once."""


def test_a_line_that_the_disk_refused_is_not_said_to_be_kept(
    house: House, player: Player, story: Story, disk: Disk
) -> None:
    """The page is told to look whether it stands. Sent once more it is found again, not stored twice."""
    house.script(Words(5), Hold(), Finish())
    disk.full = True
    line = new_id()
    refused = house.take(player, story, "I open the door.", client_id=line)
    assert (refused.say, refused.status) == (MayBeStored.sentence, 503)
    disk.full = False
    house.release()
    eventually(lambda: last_reply(story).state == "finished")
    again = house.take(player, story, "I open the door.", client_id=line)
    assert (again.done["state"], again.text) == ("finished", words(5))
    assert texts_of(story, kind="do") == ["I knock.", "I open the door."]
    assert len(house.provider.requests) == 2


def test_without_scripts_too(house: House, player: Player, story: Story, disk: Disk) -> None:
    """The page says so, gives the line back, and the same form sent again is the same line."""
    browser, path = signed_in_client(player.account), reverse("story", args=[story.pk])
    page = browser.get(path).content.decode()
    fields = re.findall(r'<input type="hidden" name="(form|segment)" value="([^"]+)"', page)
    form = {**dict(fields), "text": "I open the door.", "mode": "do"}
    house.script(Words(5), Hold(), Finish())
    disk.full = True
    refused = browser.post(reverse("turns", args=[story.pk]), form)
    assert refused.status_code == 503
    assert "did not confirm" in refused.content.decode()
    disk.full = False
    house.release()
    eventually(lambda: last_reply(story).state == "finished")
    assert browser.post(reverse("turns", args=[story.pk]), form).status_code == 302
    assert texts_of(story, kind="do") == ["I knock.", "I open the door."]


def test_nobody_is_asked_by_a_program_that_is_leaving(house: House, player: Player, story: Story) -> None:
    """A line that is stored after the drain began is kept; its reply is marked when the program starts again."""
    house.narration.leave()
    reading = house.take(player, story, "I open the door.")
    assert reading.to_end().status == 200
    assert len(house.provider.requests) == 1
    assert texts_of(story, kind="do")[-1] == "I open the door."
    hot_path.mark_interrupted()
    assert Turn.objects.get(story=story, position=last_reply(story).position).state == "interrupted"
