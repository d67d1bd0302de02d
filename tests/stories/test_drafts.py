"""A draft is kept, sealed, until it is played, replaced, or forgotten for 30 days."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from mindstage.accounts.models import User
from mindstage.kit import clock
from mindstage.stories.drafts import DraftView, find_draft, purge_old_drafts, save_draft
from mindstage.stories.models import Draft, Story
from mindstage.stories.refusals import DraftTooLong, Unstorable
from people import signed_in_client
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def story(ada: User) -> Story:
    return make_story(ada)


def test_a_draft_is_kept_and_replaced(ada: User, story: Story) -> None:
    """One draft a story: the last one, with its mode; another story has its own."""
    other = make_story(ada)
    save_draft(story=story, mode="do", text="I op")
    save_draft(story=story, mode="say", text="Who goes there")
    save_draft(story=other, mode="ooc", text="slower")
    assert find_draft(story) == DraftView("say", "Who goes there")
    assert find_draft(other) == DraftView("ooc", "slower")
    assert Draft.objects.count() == 2


def test_an_empty_draft_is_none(story: Story) -> None:
    """Clearing the line forgets what was there."""
    save_draft(story=story, mode="do", text="I op")
    save_draft(story=story, mode="do", text=" \n")
    assert find_draft(story) == DraftView()
    assert not Draft.objects.exists()


def test_a_draft_lies_sealed(story: Story) -> None:
    save_draft(story=story, mode="do", text="the brass keyhole")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM stories_draft")
        assert b"brass" not in b"|".join(
            value if isinstance(value, bytes) else str(value).encode() for value in cursor.fetchone()
        )


def test_a_line_too_long_for_a_turn_is_a_draft_still(story: Story) -> None:
    """So that its author can split it; without end it is not."""
    save_draft(story=story, mode="do", text="x" * 100_000)
    assert len(find_draft(story).text) == 100_000
    with pytest.raises(DraftTooLong):
        save_draft(story=story, mode="do", text="x" * 100_001)
    assert len(find_draft(story).text) == 100_000


@pytest.mark.parametrize(("mode", "text"), [("reply", "a"), ("", "a"), ("do", "a\x00b")])
def test_what_is_no_draft(story: Story, mode: str, text: str) -> None:
    with pytest.raises(Unstorable):
        save_draft(story=story, mode=mode, text=text)


def test_thirty_days_to_the_day(story: Story) -> None:
    """A draft is there in the last second of its 29th day, and purged from the first of its 30th."""
    save_draft(story=story, mode="do", text="I op")
    midnight = datetime.combine(clock.today() + timedelta(days=30), time(), clock.now().tzinfo)
    with clock.moved(midnight - clock.now() - timedelta(seconds=1)):
        assert purge_old_drafts() == 0
        assert find_draft(story).text == "I op"
    with clock.moved(midnight - clock.now() + timedelta(seconds=1)):
        assert purge_old_drafts() == 1
        assert find_draft(story) == DraftView()


def test_typing_keeps_a_draft_young(story: Story) -> None:
    """The 30 days count from the last change."""
    save_draft(story=story, mode="do", text="I op")
    with clock.moved(timedelta(days=20)):
        save_draft(story=story, mode="do", text="I open")
    with clock.moved(timedelta(days=40)):
        assert purge_old_drafts() == 0
    with clock.moved(timedelta(days=50)):
        assert purge_old_drafts() == 1


def test_the_page_shows_the_draft(ada: User, story: Story) -> None:
    """Saved by the page's script, it stands in the composer after a reload."""
    client = signed_in_client(ada)
    assert (
        client.post(reverse("draft", args=[story.pk]), {"mode": "say", "text": "Is <b>she</b> in?"}).status_code == 204
    )
    assert "Is &lt;b&gt;she&lt;/b&gt; in?" in client.get(reverse("story", args=[story.pk])).content.decode()
    refused = client.post(reverse("draft", args=[story.pk]), {"mode": "x", "text": "a"}, headers={"X-Partial": "1"})
    assert refused.status_code == 400
