"""What a page says of a reply that did not end by itself: what can be done about the last one, what was of others."""

from __future__ import annotations

from html import unescape
from typing import get_args

import pytest
from django.test import Client
from django.urls import reverse

from mindstage.accounts.models import User
from mindstage.gateway.problems import ProblemKind
from mindstage.stories.models import Story, Turn
from mindstage.stories.replay import DAMAGED, past_of, sentence_of
from people import signed_in_client
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])
WENT_ON = "The story went on after it."


@pytest.fixture
def story(ada: User) -> Story:
    """Opening, line, reply, line, reply."""
    return make_story(ada, turns=5)


def fail(story: Story, position: int, problem: str, state: str = Turn.State.FAILED) -> Turn:
    found = Turn.objects.get(story=story, position=position)
    Turn.objects.filter(pk=found.pk).update(state=state, problem=problem)
    return found


def note_of(client: Client, story: Story, turn: Turn) -> str:
    """The turn as the page shows it."""
    page = client.get(reverse("story", args=[story.pk])).content.decode()
    return unescape(page).partition(f'id="t-{turn.pk}"')[2].partition("</article>")[0].partition('class="turn-edit')[0]


@pytest.mark.parametrize("problem", [*get_args(ProblemKind.__value__), DAMAGED, "of long ago"])
def test_an_earlier_turn_gives_no_advice_that_has_no_button(ada: User, story: Story, problem: str) -> None:
    """It says what happened, and leads to a branch, in which the turn is the last one and can be tried again."""
    failed, client = fail(story, 2, problem), signed_in_client(ada)
    note = note_of(client, story, failed)
    assert past_of(problem) in note
    assert WENT_ON in note
    assert "try again" not in past_of(problem)
    assert "Your turn is kept" not in note
    assert "data-act" not in note
    client.post(reverse("branches", args=[story.pk, failed.pk]))
    note = note_of(client, story, failed)
    assert 'data-act="retry"' in note
    assert sentence_of(problem) in note
    assert WENT_ON not in note


def test_an_earlier_turn_that_was_interrupted_says_the_same(ada: User, story: Story) -> None:
    failed = fail(story, 2, "", Turn.State.INTERRUPTED)
    note = note_of(signed_in_client(ada), story, failed)
    assert "The words up to here are kept." in note
    assert WENT_ON in note
