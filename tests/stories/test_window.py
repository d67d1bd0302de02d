"""How much of a story a narrator is told: what its context holds, no less."""

from __future__ import annotations

from typing import Any

import pytest

from mindstage.accounts.models import User
from mindstage.config.configuration import ProviderEntry
from mindstage.stories.meter import Meter, read_meter
from mindstage.stories.models import Segment, Story, Turn
from stories.house import provide
from stories.scenes import kind_at, make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])

PARAGRAPH = "The lamp turns, and the sea under the cliff says nothing that Maren has not heard before. " * 2


@pytest.fixture
def story(ada: User) -> Story:
    """Four hundred turns of a paragraph each: some 16,000 tokens."""
    made = make_story(ada)
    segment = Segment.objects.get(story=made)
    rows = [Turn(story=made, segment=segment, position=at, kind=kind_at(at)) for at in range(1, 401)]
    Turn.objects.bulk_create([row.seal(text=f"{row.position}. {PARAGRAPH}") for row in rows], batch_size=500)
    return made


def meter_of(story: Story, settings: Any, context: int) -> Meter:
    provide(settings, ProviderEntry(id="far", base_url="http://127.0.0.1:9/v1", models=("teller",), context=context))
    meter = read_meter(story)
    assert meter is not None
    assert meter.context == context
    return meter


@pytest.mark.parametrize("context", [2_048, 8_192, 16_384])
def test_old_turns_leave_only_for_want_of_tokens(story: Story, settings: Any, context: int) -> None:
    """A narrator with a larger context is told more; room for one more block of turns is all that may stay free."""
    meter = meter_of(story, settings, context)
    tokens = {part.id: part.tokens for part in meter.parts}
    reply = min(600, context // 4)
    assert sum(tokens.values()) == context
    assert tokens["free"] - reply < context // 2 if context < 4_096 else tokens["free"] - reply < 16 * 80


def test_the_whole_story_where_it_fits(story: Story, settings: Any) -> None:
    """Four hundred turns in a context of 64,000 tokens: none is left out."""
    small, large = (meter_of(story, settings, context) for context in (16_384, 65_536))
    assert {part.id: part.tokens for part in large.parts}["turns"] > 16_384
    assert small.used < large.used
