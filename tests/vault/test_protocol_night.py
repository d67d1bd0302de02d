"""The program's own night over its own rooms, cut off after every durable write, and restored from backups."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from library import card_makers as make
from mindstage.accounts.handles import tag_of_account
from mindstage.accounts.models import User
from mindstage.accounts.notices import list_notices
from mindstage.datamap.holdings import holdings
from mindstage.kit import clock
from mindstage.ledger.book import Kind
from mindstage.ledger.receipts import check_receipt
from mindstage.library.characters import import_character
from mindstage.library.trash import trash_item
from mindstage.ops.backup import list_backups
from mindstage.ops.night import pass_night
from mindstage.ops.restore import choose_copy, replay, restore_database, restore_keystore
from mindstage.rights.erasure import cancel_erasure, find_request, request_erasure, request_of
from mindstage.rights.receipts import receipt_key
from mindstage.rights.requests import ErasureRequest
from mindstage.rights.trash import list_trash
from mindstage.stories.models import Story, Turn
from mindstage.stories.revisions import add_version, trash_turn, untrash_turn
from mindstage.stories.trash import trash_story
from mindstage.vault.clocks import slow_date
from mindstage.vault.keys import KeyGone, item_key, user_key
from mindstage.vault.models import ItemKey, UserKey
from mindstage.vault.purposes import Purpose
from mindstage.vault.start_check import Mode
from people import make_person
from stories.scenes import make_story
from vault.protocol import FAST, House, Power, Template, build_template, harness

pytestmark = [pytest.mark.drill, pytest.mark.sqlite]


@pytest.fixture(scope="module")
def rooms_template(django_db_blocker: Any) -> Iterator[Template]:
    """An instance with every room's tables: Anna has asked to be erased and her time is over, Bert stays."""
    folder = Path(tempfile.mkdtemp(prefix="mindstage-rooms-", dir=FAST))
    with django_db_blocker.unblock():
        template = build_template(folder, rooms=True)
        power = Power()
        with harness(template, power, rooms=True):
            house = House(folder / "house", power, handle_of=tag_of_account)
            house.move_in()
            for handle in ("anna", "bert"):
                make_story(make_person(handle))
            assert pass_night().ended_on
            request_erasure(find("anna"))
            for _ in range(6):
                house.day += 1
                with house.time():
                    pass_night()
            house.unplug()
        yield template
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def house(rooms_template: Template, django_db_blocker: Any) -> Iterator[House]:
    power, place = Power(), Path(tempfile.mkdtemp(prefix="mindstage-night-", dir=FAST))
    with django_db_blocker.unblock(), harness(rooms_template, power, rooms=True):
        house = rooms_template.new_house(place, power)
        house.day, house.handle_of = 7, tag_of_account
        assert house.start() is Mode.OPEN
        yield house
        house.unplug()
    cache.clear()
    shutil.rmtree(place, ignore_errors=True)


def find(handle: str) -> uuid.UUID:
    for user in User.objects.all():
        if user.open("handle", Purpose.SHOW) == handle:
            return user.pk
    raise AssertionError("nobody of that name")


def bert_reads() -> None:
    story = Story.objects.get(owner=find("bert"))
    assert story.open("title", Purpose.SHOW)
    assert Turn.objects.filter(story=story).first().open("text", Purpose.SHOW)  # type: ignore[union-attr]


def anna_is_gone(anna: uuid.UUID, story: uuid.UUID) -> None:
    assert not [finding for holding in holdings() for finding in holding.remains(anna)]
    assert not UserKey.objects.using("keystore").filter(pk=anna).exists()
    assert not ItemKey.objects.using("keystore").filter(owner=anna).exists()
    for read in (lambda: user_key(anna), lambda: item_key(story)):
        with pytest.raises(KeyGone):
            read()


def test_a_night_cut_off_after_every_write(house: House) -> None:
    """The next start opens; the next night ends Anna's account wholly, once; Bert reads on. At every write."""
    anna = find("anna")
    story = Story.objects.get(owner=anna).pk
    for number in range(1, 120):
        with house.clone():
            finished = house.run(pass_night, fails_after=number)
            assert house.start() is Mode.OPEN
            bert_reads()
            for _ in range(2):
                house.day += 1
                house.run(pass_night)
            anna_is_gone(anna, story)
            assert ErasureRequest.objects.get().state == ErasureRequest.State.DONE
            bert_reads()
        if finished:
            break
    assert number > 20


@pytest.mark.parametrize("names", ["", "D", "K"])
def test_no_restore_brings_her_back(house: House, names: str) -> None:
    """Every backup there is, and old files put back by hand."""
    anna = find("anna")
    story, old = Story.objects.get(owner=anna).pk, house.files()
    house.run(pass_night)
    house.put(old, names)
    if names:
        mode = house.start()
        assert mode is (Mode.RESTORING if names == "D" else Mode.REFUSED)
        with house.time():
            report = replay(handle_of=tag_of_account) if names == "D" else restore(house)
        assert report.gate.mode is Mode.OPEN
        anna_is_gone(anna, story)
        bert_reads()
        return
    backups = list_backups(house.configuration.backups_dir)
    assert len(backups) >= 7
    for backup in backups[:: len(backups) // 3]:
        with house.clone(), house.time():
            assert restore_database(backup, handle_of=tag_of_account).gate.mode is Mode.OPEN
            anna_is_gone(anna, story)
            bert_reads()


def restore(house: House) -> Any:
    return restore_keystore(*choose_copy(), handle_of=tag_of_account)


def test_an_erasure_that_was_called_off_stays_called_off(house: House) -> None:
    """A backup from the days of the freeze remembers it; the ledger knows better."""
    anna = find("anna")
    request = request_of(anna)
    assert request is not None
    with house.time():
        cancel_erasure(request)
        restore_database(list_backups(house.configuration.backups_dir)[0], handle_of=tag_of_account)
    for _ in range(10):
        house.day += 1
        house.run(pass_night)
    assert User.objects.get(pk=anna).is_active
    assert Story.objects.get(owner=anna).open("title", Purpose.SHOW)


def test_a_turn_that_was_taken_back_stays(house: House) -> None:
    """A backup remembers it in the trash, with both its versions; the ledger knows better, and no night ends it."""
    with house.time():
        story = make_story(User.objects.get(pk=find("bert")), turns=5)
        turn = Turn.objects.get(story=story, position=3)
        add_version(turn=turn, text="Another wording.")
        trash_turn(turn=turn)
    house.run(pass_night)
    backup = list_backups(house.configuration.backups_dir)[0]
    with house.time():
        untrash_turn(turn=turn)
        untrash_turn(turn=turn)
        assert [entry.kind for entry in house.chain().entries] == [Kind.PERSON, Kind.KEEP, Kind.KEEP]
        restore_database(backup, handle_of=tag_of_account)
    assert not Turn.objects.filter(story=story, trashed_at__isnull=False).exists()
    for _ in range(32):
        house.day += 1
        house.run(pass_night)
    assert Turn.objects.filter(segment=turn.segment_id, position=3).count() == 2


def test_a_backup_of_the_freeze_put_back_after_the_end(house: House) -> None:
    """The request goes on after the ledger's entry: nothing offers to call it off, and there is a receipt, again."""
    with house.time():
        make_story(cleo := make_person("cleo"))
        code = request_erasure(cleo.pk).claim_code
    claim = Claim(house, code)
    house.run(pass_night)
    backup = list_backups(house.configuration.backups_dir)[0]
    for _ in range(8):
        house.day += 1
        house.run(pass_night)
    assert "was deleted on" in claim.look()
    first = claim.fetch()
    with house.time():
        restore_database(backup, handle_of=tag_of_account)
    page = claim.look()
    assert "will be deleted on" not in page
    assert "cannot be called off" in page
    assert "Download the receipt" in page
    assert "too late to call this off" in claim.look(act="cancel", status=409)
    assert claim.fetch() == first
    for _ in range(2):
        house.day += 1
        house.run(pass_night)
    assert "was deleted on" in claim.look()
    again = check_receipt(claim.fetch(), key=receipt_key())
    assert again["ledger"]["entry"] == check_receipt(first, key=receipt_key())["ledger"]["entry"]
    assert find_request(code).receipt_hash == hashlib.sha256(claim.fetch()).hexdigest()  # type: ignore[union-attr]
    for _ in range(31):
        house.day += 1
        house.run(pass_night)
    assert "belongs to this code" in claim.look(status=422)
    assert not list((house.configuration.ledger_dir / "receipts").glob("*.sealed"))


def test_a_backup_older_than_the_request_hides_no_receipt(house: House) -> None:
    """The row of the request is not there any more; the receipt is, for its thirty days."""
    with house.time():
        cleo = make_person("cleo")
    house.run(pass_night)
    backup = list_backups(house.configuration.backups_dir)[0]
    with house.time():
        claim = Claim(house, request_erasure(cleo.pk).claim_code)
    for _ in range(9):
        house.day += 1
        house.run(pass_night)
    first = claim.fetch()
    with house.time():
        restore_database(backup, handle_of=tag_of_account)
    assert "The account was deleted." in claim.look()
    assert "too late to call this off" in claim.look(act="cancel", status=409)
    assert claim.fetch() == first
    file = max((house.configuration.ledger_dir / "receipts").glob("*.sealed"), key=lambda path: path.stat().st_mtime_ns)
    with house.time():
        written = clock.now().timestamp()
    os.utime(file, (written, written))  # the clock of these tests is not that of the disk
    for _ in range(31):
        house.day += 1
        house.run(pass_night)
    assert "belongs to this code" in claim.look(status=422)
    assert not file.exists()


def test_what_a_restore_gives_its_full_time_again_is_told(house: House) -> None:
    """By the rooms' own clocks: the trash has thirty days, the freeze seven, and each owner a notice of their own."""
    with house.time():
        cleo, bert = make_person("cleo"), User.objects.get(pk=find("bert"))
        request_erasure(cleo.pk)
        story = make_story(bert, turns=5)
        trash_story(story=make_story(bert))
        trash_item(import_character(owner=bert.pk, data=make.to_json(make.v2())))
        add_version(turn=Turn.objects.get(story=story, position=3), text="Another wording.")
        for position in (2, 3):
            trash_turn(turn=Turn.objects.get(story=story, position=position, chosen=True))
    for _ in range(5):
        house.run(pass_night)
        house.day += 1
    backup = list_backups(house.configuration.backups_dir)[0]
    with house.time():
        untold = list_notices(bert.pk)
        report = restore_database(backup, handle_of=tag_of_account)
        assert report.rearmed == 5
        until = slow_date() + timedelta(days=30)
        assert {one.days_left for one in list_trash(bert.pk)} == {30}
        (told,) = [one.text for one in list_notices(bert.pk) if one not in untold]
        assert told == (
            "An older copy of the data was put back here. What was to end has its full time again: "
            f"1 story in the trash, until {until:%-d %B %Y}; 2 turns in the trash, until {until:%-d %B %Y}; "
            f"1 character in the trash, until {until:%-d %B %Y}."
        )
        due = slow_date() + timedelta(days=7)
        assert request_of(cleo.pk).due_on == due  # type: ignore[union-attr]
        assert f"your account, which will be deleted on {due:%-d %B %Y}" in list_notices(cleo.pk)[0].text
    while row := request_of(cleo.pk):
        assert User.objects.filter(pk=cleo.pk).exists() == (slow_date() < row.due_on)
        house.run(pass_night)
        house.day += 1
    assert slow_date() >= due


class Claim:
    """Somebody without an account, at the page for claim codes."""

    def __init__(self, house: House, code: str) -> None:
        self.house, self.code = house, code

    def ask(self, act: str, status: int) -> bytes:
        cache.clear()  # nobody counts the tries here
        with self.house.time():
            answer = Client().post("/your-data/receipt/", {"code": self.code, "act": act})
        assert answer.status_code == status
        return answer.content

    def look(self, *, act: str = "", status: int = 200) -> str:
        return self.ask(act, status).decode()

    def fetch(self) -> bytes:
        return self.ask("fetch", 200)
