"""Every promise of the policy that names a time: kept to the second, by the clocks of the program and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from mindstage.accounts.freezing import freeze_account, thaw_account
from mindstage.accounts.models import User
from mindstage.config.schedule import CLOCKS
from mindstage.kit import clock
from mindstage.library.materials import make_material
from mindstage.library.models import Character, Material
from mindstage.library.trash import trash_item
from mindstage.ops import night
from mindstage.ops.jobs import KEPT_FAILED
from mindstage.ops.retention import publish_retention
from mindstage.ops.ticker import ring_due
from mindstage.rights.erasure import request_erasure
from mindstage.rights.models import ErasureRequest
from mindstage.rights.trash import list_trash
from mindstage.stories import revisions
from mindstage.stories.drafts import save_draft
from mindstage.stories.models import Draft, Story, Turn
from mindstage.stories.trash import trash_story
from mindstage.vault.backup_keys import make_backup_key
from mindstage.vault.clocks import slow_date
from mindstage.vault.models import BackupKey, ItemKey, ReservedHandle, UserKey
from ops.records import (
    DAY,
    begin_browser,
    fail_job,
    knock,
    leave_browser,
    open_something,
    send,
    tell,
    type_draft,
    wait_for_export,
)
from people import make_person
from rights.erasures import Life, make_life
from stories.scenes import make_story

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
]
SECOND = timedelta(seconds=1)
WALL = [each for each in CLOCKS if each.name not in ("night", "retention report", "tidy database", "policy notices")]


def ring_at(moment: timedelta) -> None:
    """Ring every clock that goes by the wall, as if it were so much later."""
    from mindstage.ops.models import Tick

    with clock.moved(moment):
        Tick.objects.all().delete()
        assert ring_due(WALL) == [each.name for each in WALL]


def pass_nights(first: int, last: int) -> None:
    for day in range(first, last + 1):
        with clock.moved(day * DAY):
            night.pass_night()


@pytest.mark.parametrize(
    ("make", "lasts"),
    [
        (begin_browser, 30 * DAY),
        (leave_browser, 7 * DAY),
        (knock, timedelta(minutes=10)),
        (wait_for_export, timedelta(hours=24)),
        (fail_job, KEPT_FAILED),
    ],
)
def test_what_ends_by_the_second(make: Callable[[], Callable[[], bool]], lasts: timedelta) -> None:
    """A second before its time it is there; a second after, its row is gone."""
    is_there = make()
    ring_at(lasts - 2 * SECOND)
    assert is_there()
    ring_at(lasts + SECOND)
    assert not is_there()


@pytest.mark.parametrize(("make", "days"), [(type_draft, 30), (tell, 365), (open_something, 365), (send, 365)])
def test_what_ends_by_the_day(make: Callable[[], Callable[[], bool]], days: int) -> None:
    """On the day before its last it is there; on its last it goes."""
    is_there = make()
    ring_at((days - 1) * DAY)
    assert is_there()
    ring_at(days * DAY)
    assert not is_there()


def test_the_trash_ends_with_the_thirtieth_night() -> None:
    """Stories, turns, characters and what else is brought lie there for 30 nights, whatever the wall says."""
    night.pass_night()
    life, other = make_life("ada"), make_life("ben")
    trash_story(story=life.story)
    trash_item(life.character)
    materials = [make_material(owner=life.person.pk, kind=kind, name="Mara") for kind in Material.Kind]
    for material in materials:
        trash_item(material)
    reply = Turn(story=other.story, segment=other.story.head, position=1, kind=Turn.Kind.REPLY).seal(text="Rain.")
    reply.save(force_insert=True)
    revisions.trash_turn(turn=reply)
    pass_nights(1, 29)
    assert Story.objects.filter(pk=life.story.pk).exists()
    assert Character.objects.filter(pk=life.character.pk).exists()
    assert Turn.objects.filter(pk=reply.pk).exists()
    assert Material.objects.count() == len(materials) == 3
    pass_nights(30, 30)
    assert not Story.objects.filter(pk=life.story.pk).exists()
    assert not Character.objects.filter(pk=life.character.pk).exists()
    assert not Turn.objects.filter(pk=reply.pk).exists()
    assert not Material.objects.exists()
    assert not ItemKey.objects.using("keystore").filter(owner=life.person.pk).exists()
    assert Story.objects.filter(pk=other.story.pk).exists()


def test_a_shorter_time_of_the_operator_is_the_one_that_counts(settings: Any) -> None:
    """Drafts go with the first second of their last day and not a second before, the trash with its last night."""
    settings.MINDSTAGE = replace(settings.MINDSTAGE, retention={"trash": 7, "draft": 3})
    night.pass_night()
    life = make_life("ada")
    save_draft(story=make_life("ben").story, mode="do", text="I wait.")
    trash_story(story=life.story)
    trash_item(life.character)
    midnight = datetime.combine(clock.today() + 3 * DAY, time(), UTC) - clock.now()
    ring_at(midnight - SECOND)
    assert Draft.objects.exists()
    ring_at(midnight + SECOND)
    assert not Draft.objects.exists()
    pass_nights(1, 6)
    assert Story.objects.filter(pk=life.story.pk).exists()
    assert Character.objects.filter(pk=life.character.pk).exists()
    pass_nights(7, 7)
    assert not Story.objects.filter(pk=life.story.pk).exists()
    assert not Character.objects.filter(pk=life.character.pk).exists()


@pytest.mark.parametrize(("frozen_for", "days_left"), [(40, 7), (10, 20)])
def test_nothing_of_a_frozen_account_ends_meanwhile(frozen_for: int, days_left: int) -> None:
    """Its trash and its drafts wait for the thaw, and then last a week at least; what is published is not over."""
    night.pass_night()
    life, other = make_life("ada"), make_story(User.objects.get(), turns=3)
    trash_story(story=life.story)
    trash_item(life.character)
    revisions.trash_turn(turn=Turn.objects.get(story=other, position=1))
    save_draft(story=other, mode="do", text="I wait.")
    freeze_account(life.person.pk)
    pass_nights(1, frozen_for)
    ring_at(frozen_for * DAY)
    assert everything_of(life, other) == (1, 1, 1, 1)
    with clock.moved(frozen_for * DAY):
        publish_retention()
        lines = Client().get("/transparency/retention.json").json()["categories"]
        assert not [each["category"] for each in lines if each["over"]]
        assert thaw_account(life.person.pk)
        assert [one.days_left for one in list_trash(life.person.pk)] == [days_left] * 3
    pass_nights(frozen_for + 1, frozen_for + days_left - 1)
    ring_at((frozen_for + days_left - 1) * DAY)
    assert everything_of(life, other) == (1, 1, 1, 1)
    pass_nights(frozen_for + days_left, frozen_for + days_left)
    ring_at((frozen_for + days_left) * DAY)
    assert everything_of(life, other) == (0, 0, 0, 0)


def everything_of(life: Life, other: Story) -> tuple[int, int, int, int]:
    return (
        Story.objects.filter(pk=life.story.pk).count(),
        Character.objects.filter(pk=life.character.pk).count(),
        Turn.objects.filter(story=other, position=1).count(),
        Draft.objects.count(),
    )


def test_a_frozen_account_ends_with_the_seventh_night_and_its_receipt_with_the_thirtieth() -> None:
    """Freeze 7 nights; receipt and reserved handle 30 more; the hash of the receipt stays."""
    night.pass_night()
    person = make_person("ada")
    request_erasure(person.pk)
    pass_nights(1, 6)
    assert UserKey.objects.using("keystore").exists()
    pass_nights(7, 7)
    assert not UserKey.objects.using("keystore").exists()
    assert not User.objects.exists()
    pass_nights(8, 36)
    assert ErasureRequest.objects.get().claim_hash is not None
    assert ReservedHandle.objects.using("keystore").exists()
    pass_nights(37, 37)
    assert ErasureRequest.objects.get().claim_hash is None
    assert ErasureRequest.objects.get().receipt_hash
    assert not ReservedHandle.objects.using("keystore").exists()


def test_the_key_of_a_backup_ends_on_its_day_though_no_backup_ever_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    """30 days by the later of both dates, also when all newer backups failed, and never after 90."""
    night.pass_night()
    BackupKey.objects.using("keystore").all().delete()
    ident, _ = make_backup_key()
    monkeypatch.setattr(night, "back_up", lambda instance, wait: 1 / 0)
    pass_nights(1, 29)
    assert BackupKey.objects.using("keystore").filter(pk=ident).exists()
    pass_nights(30, 30)
    assert not BackupKey.objects.using("keystore").filter(pk=ident).exists()


def test_a_wall_that_ran_away_destroys_keys_of_backups_at_once() -> None:
    """The eager date believes the wall: a machine that was off for 90 days holds no key of a backup after its night."""
    night.pass_night()
    ident, _ = make_backup_key()
    with clock.moved(90 * DAY):
        night.pass_night()
        assert slow_date() < clock.today() - 80 * DAY
    assert not BackupKey.objects.using("keystore").filter(pk=ident).exists()
