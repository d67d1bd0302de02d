"""A disk that is full and a database that is locked: said clearly, nothing half stored, and it works again after."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from django.db import connection
from django.urls import reverse

from fakes.provider import Finish, Hold, Text, Words, words
from mindstage.stories.models import Turn
from people import signed_in_client
from stories.house import House, eventually
from stories.scenes import Player, last_reply, make_story, new_id, text_of, texts_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])

LONG = "x" * 15_000


def in_thread(house: House, sql: str) -> None:
    """Run a statement on the connection of the house's database thread."""

    def job() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql).fetchall()

    house.database.submit(job).result(5)


@contextmanager
def full_disk(house: House) -> Iterator[None]:
    """The database may not grow by a page more: SQLite says "database or disk is full"."""
    in_thread(house, "PRAGMA incremental_vacuum")  # no page is free
    in_thread(house, "PRAGMA max_page_count = 1")  # raised by SQLite to what the file has
    try:
        yield
    finally:
        in_thread(house, "PRAGMA max_page_count = 1073741823")


@contextmanager
def locked(house: House) -> Iterator[None]:
    """Another program holds the write lock for longer than anybody waits."""
    in_thread(house, "PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


type Trouble = Callable[[House], contextmanager[None]]  # type: ignore[valid-type]


@pytest.mark.sqlite
@pytest.mark.parametrize("trouble", [full_disk, locked])
def test_a_turn_that_cannot_be_stored(trouble: Trouble, house: House, player: Player) -> None:
    """503 and a sentence; nothing half stored, no narrator asked; the same form works when the trouble is over."""
    story = make_story(player.account)
    client_id = new_id()
    with trouble(house):  # type: ignore[operator]
        refused = house.take(player, story, LONG, client_id=client_id).to_end()
        assert refused.status == 503
        assert "could not save" in refused.say
        assert "Your line is kept" in refused.say
        assert Turn.objects.filter(story=story).count() == 1
    assert not house.provider.requests
    again = house.take(player, story, LONG, client_id=client_id)
    assert again.done["state"] == "finished"
    assert texts_of(story, kind="do") == [LONG]
    assert Turn.objects.filter(story=story).count() == 3


@pytest.mark.sqlite
@pytest.mark.parametrize("trouble", [full_disk, locked])
def test_an_ending_that_cannot_be_stored(trouble: Trouble, house: House, player: Player) -> None:
    """The reader is told that the words are not saved; they are, as soon as there is room, and the story goes on."""
    story = make_story(player.account)
    house.script(Words(5), Hold(), Text(LONG), Finish())
    reader = house.take(player, story).until(lambda reader: reader.text == words(5))
    with trouble(house):  # type: ignore[operator]
        house.provider.release()
        assert reader.done["state"] == "failed"
        assert "could not be saved" in reader.done["say"]
        assert reader.text == words(5) + LONG
        assert last_reply(story).state == "running"
        late = house.resume(player, reader.run, after=0).to_end()
        assert late.status == 503 or (late.done, late.text) == (reader.done, reader.text)
    eventually(lambda: last_reply(story).state == "finished")
    assert text_of(last_reply(story)) == words(5) + LONG
    eventually(lambda: reader.run not in house.narration.bus.channels)
    assert house.resume(player, reader.run).done["state"] == "finished"
    assert house.take(player, story).done["state"] == "finished"


@pytest.mark.sqlite
def test_a_page_that_cannot_store(house: House, player: Player) -> None:
    """An edit or a draft on a locked database: 503 and a sentence for the page's script, the old words untouched."""
    story = make_story(player.account, turns=3)
    client, script = signed_in_client(player.account), {"X-Partial": "1"}
    edit = reverse("variants", args=[story.pk, last_reply(story).pk])
    draft = reverse("draft", args=[story.pk])
    with locked(house), connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
        for path, form in ((edit, {"text": "Otherwise."}), (draft, {"mode": "do", "text": "I op"})):
            refused = client.post(path, form, headers=script)
            assert refused.status_code == 503
            assert "could not save" in refused.json()["say"]
    assert texts_of(story, kind="reply") == ["Line 2 of the story."]
    assert client.post(edit, {"text": "Otherwise."}, headers=script).status_code == 200
    assert client.post(draft, {"mode": "do", "text": "I op"}, headers=script).status_code == 204


@pytest.mark.sqlite
def test_one_who_is_too_big_fails_alone(house: House, player: Player) -> None:
    """On a disk that is nearly full a short line of one story is stored while a long one of another is refused."""
    story, other = make_story(player.account), make_story(player.account)
    with full_disk(house):
        long = house.take(player, other, LONG)
        long.to_end()
        short = house.take(player, story, "On.")
        short.to_end()
    assert long.status == 503
    assert Turn.objects.filter(story=other).count() == 1
    stored = Turn.objects.filter(story=story).count()
    assert (short.status, stored) in ((200, 3), (503, 1))


@pytest.mark.sqlite
def test_parts_that_could_not_be_stored_are_tried_again(house: House, player: Player) -> None:
    """Words that came while the database was locked are stored soon after, though no more words come."""
    story = make_story(player.account)
    house.script(Words(5), Hold(), Words(5), Hold())
    reader = house.take(player, story).until(lambda reader: reader.text == words(5))
    eventually(lambda: text_of(last_reply(story)) == words(5))
    with locked(house):
        house.provider.release()
        reader.until(lambda reader: reader.text == words(10))
        eventually(lambda: house.narration.runs[reader.run].channel.length == len(words(10)))
        house.database.submit(lambda: None).exception(5)  # the lock has been met
    eventually(lambda: text_of(last_reply(story)) == words(10))
    house.stop(player, reader.run)
