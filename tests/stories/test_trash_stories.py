"""The trash of stories and turns, what freezing does to a running reply, and what is told honestly."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from fakes.provider import Finish, Hold, Words
from mindstage.accounts.endings import end_item, keep
from mindstage.accounts.freezing import freeze_account
from mindstage.datamap.trash import register_trash
from mindstage.kit import clock
from mindstage.ledger import book
from mindstage.ledger.book import Kind
from mindstage.rights.erasure import AlreadyAsked, request_erasure
from mindstage.rights.trash import end_due, end_now, list_trash, take_back
from mindstage.stories.form_turns import open_door
from mindstage.stories.models import Draft, Segment, Story, Turn
from mindstage.stories.refusals import Refused, StillRunning
from mindstage.stories.revisions import add_version, trash_turn, untrash_turn
from mindstage.stories.trash import end_turn_now, last_backup, trash_story, untrash_story
from mindstage.stories.turn_trash import TurnsTrash
from mindstage.vault.backup_keys import backup_ends, make_backup_key
from mindstage.vault.clocks import slow_date, turn_night
from mindstage.vault.keys import KeyGone, item_key
from mindstage.vault.models import BackupKey, ItemKey
from mindstage.vault.purposes import Purpose
from mindstage.vault.tags import ledger_tag
from people import make_person, signed_in_client
from stories.house import House, eventually
from stories.scenes import Player, last_reply, make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def story(player: Player) -> Story:
    return make_story(player.account, turns=5)


def entries() -> list[tuple[Kind, str]]:
    from django.conf import settings

    chain = book.read_book(settings.MINDSTAGE.ledger_dir)
    assert chain is not None
    return [(entry.kind, entry.tag) for entry in chain.entries]


def test_a_trashed_story_is_nowhere_else(story: Story, player: Player) -> None:
    """No page, no list, no address of it answers; the trash names it, and undoing brings all of it back."""
    client = signed_in_client(player.account)
    trash_story(story=story)
    assert str(story.pk) not in client.get("/").content.decode() + client.get("/stories/").content.decode()
    for path in ("", "turns/", "branches/", "context/", "names/", f"turns/{last_reply(story).pk}/"):
        assert client.get(f"/stories/{story.pk}/{path}").status_code == 404, path
    (lying,) = list_trash(player.account.pk)
    assert (lying.id, lying.ends_on, lying.days_left) == (story.pk, slow_date() + timedelta(days=30), 30)
    assert take_back(player.account.pk, story.pk)
    assert client.get(f"/stories/{story.pk}/").status_code == 200
    assert entries() == [(Kind.KEEP, ledger_tag(story.pk))]


def test_a_trashed_story_takes_no_turn(house: House, player: Player) -> None:
    """Nor does its last reply come over the stream plane."""
    story = make_story(player.account, turns=3)
    trash_story(story=story)
    assert house.take(player, story).to_end().status == 404
    assert house.resume(player, last_reply(story).pk).to_end().status == 404
    assert not house.provider.requests


def test_a_story_that_is_being_written_is_not_trashed(house: House, player: Player) -> None:
    """Deleting it says so; nothing is lost, and after the reply it can be deleted."""
    story = make_story(player.account, turns=3)
    house.script(Words(2), Hold(), Finish())
    reader = house.take(player, story).until_deltas(1)
    with pytest.raises(StillRunning):
        trash_story(story=story)
    house.provider.release()
    assert reader.done["state"] == "finished"
    trash_story(story=story)


def test_the_night_ends_it_after_thirty_days(story: Story, player: Player) -> None:
    """Not a day before, whatever the wall clock says; then key and rows are gone and the ledger knows."""
    trash_story(story=story)
    for _ in range(29):
        turn_night()
        assert end_due() == 0
    turn_night()
    assert end_due() == 1
    assert not Story.objects.filter(pk=story.pk).exists()
    assert not Turn.objects.filter(story=story.pk).exists()
    assert not Segment.objects.filter(story=story.pk).exists()
    assert not Draft.objects.filter(story=story.pk).exists()
    with pytest.raises(KeyGone):
        item_key(story.pk)
    assert entries() == [(Kind.ITEM, ledger_tag(story.pk))]
    assert end_due() == 0


def test_delete_now_destroys_the_key_at_once(story: Story, player: Player) -> None:
    """From the trash alone, by its owner alone; twice is once; her other story stays."""
    other, cleo = make_story(player.account, turns=2), make_person("cleo")
    assert not end_now(player.account.pk, story.pk)
    trash_story(story=story)
    assert not end_now(cleo.pk, story.pk)
    assert end_now(player.account.pk, story.pk)
    assert not end_now(player.account.pk, story.pk)
    assert not ItemKey.objects.using("keystore").filter(pk=story.pk).exists()
    end_item(story.pk)
    assert entries() == [(Kind.ITEM, ledger_tag(story.pk))]
    assert Story.objects.get(pk=other.pk).open("title", Purpose.SHOW)


def test_what_has_begun_to_end_cannot_be_taken_back(story: Story, player: Player) -> None:
    """A process that died after the point of no return: the night finishes it, and no undo comes between."""
    trash_story(story=story)
    Story.objects.filter(pk=story.pk).update(ending=True)
    assert list_trash(player.account.pk) == []
    assert not take_back(player.account.pk, story.pk)
    with pytest.raises(Refused):
        untrash_story(story=Story.objects.get(pk=story.pk))
    keep(story.pk)
    assert Story.objects.get(pk=story.pk).trashed_on
    assert end_due() == 1
    assert not Story.objects.filter(pk=story.pk).exists()


def test_a_turn_goes_with_all_its_versions(story: Story, player: Player) -> None:
    """Rows at once, the ledger names each version, the story goes on around the gap, the page says until when."""
    client = signed_in_client(player.account)
    turn = last_reply(story)
    client.post(f"/stories/{story.pk}/turns/{turn.pk}/variants/", {"text": "Another wording."})
    versions = list(Turn.objects.filter(segment=turn.segment_id, position=turn.position).values_list("pk", flat=True))
    assert len(versions) == 2
    page = client.get(f"/stories/{story.pk}/turns/{turn.pk}/end/").content.decode()
    assert f"{last_backup():%Y}" in page
    assert "backups until" in page
    assert client.post(f"/stories/{story.pk}/turns/{turn.pk}/end/").status_code == 302
    assert not Turn.objects.filter(pk__in=versions).exists()
    assert sorted(entries()) == sorted((Kind.TURN, ledger_tag(version)) for version in versions)
    assert client.get(f"/stories/{story.pk}/").status_code == 200


def test_the_opening_stays(story: Story, player: Player) -> None:
    opening = Turn.objects.filter(story=story, position=0).update(kind=Turn.Kind.OPENING)
    assert opening == 1
    with pytest.raises(Refused):
        end_turn_now(turn=Turn.objects.get(story=story, position=0))


def test_turns_in_the_trash_end_too(story: Story, player: Player) -> None:
    """A turn that was deleted stays for 30 days, then its rows go."""
    turn = last_reply(story)
    path = f"/stories/{story.pk}/turns/{turn.pk}/trash/"
    assert signed_in_client(player.account).post(path).status_code == 302
    for _ in range(29):
        turn_night()
    assert end_due() == 0
    for _ in range(2):
        turn_night()
    assert end_due() == 1
    assert not Turn.objects.filter(pk=turn.pk).exists()
    assert entries() == [(Kind.TURN, ledger_tag(turn.pk))]


def test_the_page_of_the_trash_shows_turns(story: Story, player: Player) -> None:
    """With its story, its first words and its last day; it is taken back, or deleted with all versions, by forms."""
    client, turn = signed_in_client(player.account), last_reply(story)
    add_version(turn=turn, text="Another  wording,\nof " + "many words " * 20)
    chosen = Turn.objects.get(segment=turn.segment_id, position=turn.position, chosen=True)
    assert "It is empty." in client.get("/trash/").content.decode()
    client.post(f"/stories/{story.pk}/turns/{turn.pk}/trash/")
    page = client.get("/trash/").content.decode()
    ends_on = slow_date() + timedelta(days=30)
    assert page.count('<li id="i-') == 1
    assert "<b>Another wording, of many words" in page
    assert "A turn of “The Lamp”" in page
    assert f"{ends_on:%A} {ends_on.day} {ends_on:%B %Y}, in 30 days" in page
    assert f"{last_backup().day} {last_backup():%B %Y}" in page
    assert f'action="/trash/{chosen.pk}/undo/"' in page
    assert client.post(f"/trash/{chosen.pk}/undo/").status_code == 302
    assert not Turn.objects.filter(story=story, trashed_at__isnull=False).exists()
    assert client.post(f"/trash/{chosen.pk}/undo/").status_code == 404
    assert client.post(f"/trash/{chosen.pk}/end/").status_code == 404
    assert Counter(kind for kind, _ in entries()) == {Kind.KEEP: 2}
    client.post(f"/stories/{story.pk}/turns/{turn.pk}/trash/")
    assert client.post(f"/trash/{turn.pk}/end/").status_code == 302
    assert not Turn.objects.filter(segment=turn.segment_id, position=turn.position).exists()
    assert Counter(kind for kind, _ in entries()) == {Kind.KEEP: 2, Kind.TURN: 2}
    assert "It is empty." in client.get("/trash/").content.decode()
    assert client.get(f"/stories/{story.pk}/").status_code == 200


def test_nobody_else_sees_or_ends_a_turn_in_the_trash(story: Story, player: Player) -> None:
    turn, cleo = last_reply(story), signed_in_client(make_person("cleo"))
    trash_turn(turn=turn)
    assert "It is empty." in cleo.get("/trash/").content.decode()
    for act in ("undo", "end"):
        assert cleo.post(f"/trash/{turn.pk}/{act}/").status_code == 404
    assert Turn.objects.get(pk=turn.pk).trashed_at
    assert entries() == []


def test_a_turn_of_a_story_in_the_trash_goes_with_its_story(story: Story, player: Player) -> None:
    """One line for both, and one way back; the turn lies there still when its story has come back."""
    turn = last_reply(story)
    trash_turn(turn=turn)
    trash_story(story=story)
    assert [one.id for one in list_trash(player.account.pk)] == [story.pk]
    assert not take_back(player.account.pk, turn.pk)
    assert take_back(player.account.pk, story.pk)
    assert [one.id for one in list_trash(player.account.pk)] == [turn.pk]


def test_to_and_fro_does_not_fill_the_ledger(story: Story, player: Player) -> None:
    """After so many in a quarter of an hour the next waits, and lies in the trash until then."""
    client, turn = signed_in_client(player.account), last_reply(story)
    turns = f"/stories/{story.pk}/turns/{turn.pk}/trash/"
    for path in [f"{turns}undo/"] * 30 + [f"/trash/{turn.pk}/undo/"] * 30:
        client.post(turns)
        assert client.post(path).status_code == 302
    client.post(turns)
    assert client.post(f"{turns}undo/").status_code == 429
    refused = client.post(f"/trash/{turn.pk}/undo/")
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    assert "It still lies in the trash" in refused.content.decode()
    assert len(entries()) == 60
    assert Turn.objects.get(pk=turn.pk).trashed_at
    with clock.moved(timedelta(minutes=16)):
        assert take_back(player.account.pk, turn.pk)


class Late(TurnsTrash):
    """The trash of turns on a night in which somebody acts between the look at what is due and its end."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act

    def due(self, up_to: date) -> list[uuid.UUID]:
        found = super().due(up_to)
        self.act()
        return found


@pytest.fixture
def late() -> Iterator[Callable[[Callable[[], object]], None]]:
    yield lambda act: register_trash(Late(act))
    register_trash(TurnsTrash())


def test_a_turn_taken_back_while_the_night_ends_it_is_kept(
    story: Story, player: Player, late: Callable[[Callable[[], object]], None]
) -> None:
    """Of an undo and an end only one wins; what was put there again today has its thirty days."""
    turn = last_reply(story)
    trash_turn(turn=turn)
    for _ in range(31):
        turn_night()
    late(lambda: untrash_turn(turn=turn))
    assert end_due() == 0
    assert Turn.objects.get(pk=turn.pk).trashed_at is None
    trash_turn(turn=turn)
    for _ in range(31):
        turn_night()
    late(lambda: (untrash_turn(turn=turn), trash_turn(turn=turn)))
    assert end_due() == 0
    assert [one.days_left for one in list_trash(player.account.pk)] == [30]


def test_a_turn_whose_end_has_begun_is_not_taken_back(story: Story, player: Player) -> None:
    """A process that died after the point of no return: the night finishes it."""
    turn = last_reply(story)
    trash_turn(turn=turn)
    assert TurnsTrash().begin_end([turn.pk]) == [turn.pk]
    assert list_trash(player.account.pk) == []
    assert not take_back(player.account.pk, turn.pk)
    with pytest.raises(Refused):
        untrash_turn(turn=turn)
    keep(turn.pk)
    assert end_due() == 1
    assert not Turn.objects.filter(pk=turn.pk).exists()


@pytest.fixture
def open_house(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """One whose running replies are reached from the threads of pages, until this test ends."""
    monkeypatch.setattr("mindstage.stories.form_turns._door", None)
    house.run(_open_door(house))
    return house


async def _open_door(house: House) -> None:
    open_door(house.narration)


def test_an_erasure_stops_a_running_reply(open_house: House, player: Player) -> None:
    """Its words are kept until the account goes; its reader is told; no further turn is taken, twice is once."""
    house = open_house
    story = make_story(player.account, turns=3)
    house.script(Words(3), Hold(), Words(3), Finish())
    reader = house.take(player, story).until_deltas(1)
    request_erasure(player.account.pk)
    assert reader.done["state"] == "interrupted"
    eventually(lambda: last_reply(story).state == "interrupted")
    assert house.take(player, story).to_end().status == 401
    with pytest.raises(AlreadyAsked):
        request_erasure(player.account.pk)


def test_freezing_leaves_other_peoples_replies_alone(open_house: House, player: Player) -> None:
    house = open_house
    story = make_story(player.account, turns=3)
    house.script(Words(2), Hold(), Words(2), Finish())
    reader = house.take(player, story).until_deltas(1)
    freeze_account(make_person("ben").pk)
    house.provider.release()
    assert reader.done["state"] == "finished"


def test_the_lists_page_and_offer_undo(player: Player) -> None:
    """Every story stands on the list; after deleting one, the list offers to undo it."""
    for _ in range(3):
        make_story(player.account, turns=1)
    client: Client = signed_in_client(player.account)
    story = Story.objects.filter(owner=player.account).first()
    assert story
    assert client.get("/stories/").content.decode().count('<li id="i-') == 3
    after = client.post(f"/stories/{story.pk}/trash/", follow=True)
    page = after.content.decode()
    assert page.count('<li id="i-') == 2
    assert f'action="/trash/{story.pk}/undo/"' in page
    assert '<input type="hidden" name="next" value="/stories/">' in page
    undone = client.post(f"/trash/{story.pk}/undo/", {"next": "/stories/"}, follow=True)
    assert undone.redirect_chain == [("/stories/?back", 302)]
    page = undone.content.decode()
    assert (page.count('<li id="i-'), "It is back where it was." in page) == (3, True)
    client.post(f"/stories/{story.pk}/trash/")
    led = client.post(f"/trash/{story.pk}/undo/", {"next": "//elsewhere.example/"}).headers["Location"]
    assert led == "/?back"
    assert client.get("/stories/?trashed=nonsense&page=99").status_code == 200


@pytest.mark.parametrize("kept", [30, 5])
def test_the_page_says_from_which_day_no_backup_holds_a_turn(
    story: Story, player: Player, settings: Any, kept: int
) -> None:
    """The night after the key of tonight's backup has ended, which an operator may let end sooner; or a later one's."""
    settings.MINDSTAGE = replace(settings.MINDSTAGE, retention={"backups": kept})
    turn = Turn.objects.get(story=story, position=1)
    said = [until_of(player, story, turn)]
    made = make_backup_key()[0]  # tonight's
    said.append(until_of(player, story, turn))
    assert said == [slow_date() + timedelta(days=kept + 1)] * 2
    for _ in range(kept):
        assert made in backup_ends()
        turn_night()
    assert made not in backup_ends()
    made = make_backup_key()[0]
    later = slow_date() + timedelta(days=70)  # made when the date was wrong
    BackupKey.objects.using("keystore").filter(pk=made).update(destroy_on=later)
    assert until_of(player, story, turn) == later + timedelta(days=1)


def until_of(player: Player, story: Story, turn: Turn) -> date:
    """What stands on the page that deletes a turn for good."""
    page = signed_in_client(player.account).get(f"/stories/{story.pk}/turns/{turn.pk}/end/").content.decode()
    found = re.search(r"stay in backups until \w+ (\d+ \w+ \d{4})", page)
    assert found
    return datetime.strptime(found[1], "%d %B %Y").replace(tzinfo=UTC).date()
