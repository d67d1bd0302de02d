"""What a story's prompt is told about the story itself."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH, ZoneInfo

import pytest

from mindstage.accounts.models import User
from mindstage.config.configuration import ProviderEntry
from mindstage.gateway.routes import default_route
from mindstage.kit import clock, ids
from mindstage.library.cards import Card
from mindstage.library.staging import parts_of_card
from mindstage.stories.models import Segment, Story, Turn
from mindstage.stories.prompting import Sources, build_prompt, open_inputs, sources_of
from mindstage.stories.revisions import trash_turn
from stories.house import provide
from stories.scenes import STAGE, add_turns, make_story, taken_of

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


def system_text(story: Story, settings: Any, *, premise: str) -> str:
    """The head of this story's next prompt, if its scenario were this one."""
    provide(settings, ProviderEntry(id="far", base_url="http://127.0.0.1:9/v1", models=("teller",), context=4_096))
    story.seal(stage=replace(STAGE, premise=premise).to_bytes()).save()
    route = default_route()
    return build_prompt(open_inputs(taken_of(story), route=route), route=route).messages[0].content


def test_macros_know_narrator_room_and_state(ada: User, settings: Any) -> None:
    """The model's name, how large a prompt may be, the last turn, and how long the person was away."""
    story = make_story(ada, turns=3)
    with clock.moved(timedelta(hours=5)):
        add_turns(story, Segment.objects.get(story=story), first=3, count=1)
        text = system_text(story, settings, premise="<{{model}} {{maxPrompt}} {{lastMessageId}} {{idleDuration}}>")
    assert "<teller 3496 3 5 hours>" in text


def test_the_narrator_of_a_story_is_told_whom_its_author_plays(ada: User, settings: Any) -> None:
    """What stands on the stage when the turn is taken."""
    provide(settings, ProviderEntry(id="far", base_url="http://127.0.0.1:9/v1", models=("teller",), context=4_096))
    story, route = make_story(ada, turns=3), default_route()
    story.seal(stage=replace(STAGE, persona="Mara", about="She keeps the lamp.").to_bytes()).save()
    text = build_prompt(open_inputs(taken_of(story), route=route), route=route).messages[0].content
    assert "Mara, whom the other person plays: She keeps the lamp." in text


def test_a_model_of_this_machine_learns_what_is_gone(ada: User, settings: Any) -> None:
    """By the sources of the next prompt: a turn that was deleted is in none, and a corrected stage is another."""
    provide(settings, ProviderEntry(id="far", base_url="http://127.0.0.1:9/v1", models=("teller",), context=4_096))
    story, route, reply = make_story(ada, turns=5), default_route(), ids.sequential()

    def sources() -> Sources:
        taken = taken_of(story)
        return sources_of(taken, build_prompt(open_inputs(taken, route=route), route=route), reply=reply)

    before = sources()
    assert before == sources()
    assert reply in before.told <= before.stands
    deleted = Turn.objects.get(story=story, position=2)
    trash_turn(turn=deleted)
    assert sources().told == before.told - {deleted.pk}
    assert sources().stands == before.stands - {deleted.pk}
    story.seal(stage=replace(STAGE, premise="Another.").to_bytes()).save()
    assert sources().stage != before.stage


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"])
def test_the_clock_is_the_instances(ada: User, settings: Any, zone: str) -> None:
    """`{{isodate}} {{isotime}}` are those of the place where the instance stands, in prompts and in greetings."""
    settings.MINDSTAGE = replace(settings.MINDSTAGE, time_zone=ZoneInfo(zone))
    before = datetime.now(ZoneInfo(zone))
    text = system_text(make_story(ada), settings, premise="<{{datetimeformat::YYYY-MM-DD HH:mm Z}}>")
    opening = parts_of_card(Card("V2", name="Maren", greetings=("{{isodate}} {{isotime}}",)), "Ada", source="x")
    moments = {f"{at:%Y-%m-%d %H:%M}" for at in (before, datetime.now(ZoneInfo(zone)))}
    offset = f"{before:%z}"
    assert any(f"<{moment} {offset[:3]}:{offset[3:]}>" in text for moment in moments)
    assert opening.greetings[0] in moments


def test_the_machines_zone_is_asked_of_the_machine(tmp_path: Path) -> None:
    """From its file, because the environment says what the framework wants; without a usable one it is UTC."""
    winter, summer = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    (tmp_path / "zone").write_bytes(Path(TZPATH[0], "Europe/Berlin").read_bytes())
    (tmp_path / "odd").write_bytes(b"odd")
    berlin = clock.machine_zone(tmp_path / "zone")
    assert [berlin.utcoffset(at) for at in (winter, summer)] == [timedelta(hours=1), timedelta(hours=2)]
    assert clock.machine_zone(tmp_path / "odd") is clock.machine_zone(tmp_path / "none") is UTC


@pytest.mark.parametrize("far", [2**48 - 1, 253_402_300_800_000])
def test_an_identifier_of_no_year_has_no_moment(far: int) -> None:
    """Archives bring identifiers of anybody's making: one past the year 9999 is no error."""
    assert ids.made_at(uuid.UUID(int=far << 80 | 7 << 76 | 2 << 62)) is None
    assert ids.made_at(uuid.uuid4()) is None
    with clock.moved(timedelta(days=9)):
        made = ids.made_at(ids.sequential())
    assert made
    assert abs(made - datetime.now(UTC) - timedelta(days=9)) < timedelta(minutes=5)
