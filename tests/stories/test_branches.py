"""The page of a story's branches."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mindstage.accounts.models import User
from mindstage.stories import branches
from mindstage.stories.branches import list_branches
from mindstage.stories.models import Segment, Turn
from mindstage.stories.revisions import play_branch, trash_turn
from people import signed_in_client
from stories.scenes import fork, make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


def test_of_very_many_branches_the_newest_stand_there(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those that somebody looks for; the one that is played never drops out of the list."""
    monkeypatch.setattr(branches, "MOST", 3)
    story = make_story(ada, turns=5)
    root = story.head
    assert root is not None
    made = sorted([fork(story, parent=root, at=3, count=1) for _ in range(6)], key=lambda one: one.pk)
    play_branch(story=story, segment=made[5].pk)
    story.refresh_from_db()
    assert [one.id for one in list_branches(story)] == [one.pk for one in made[3:]]
    play_branch(story=story, segment=root.pk)
    story.refresh_from_db()
    assert [one.id for one in list_branches(story)] == [root.pk, made[4].pk, made[5].pk]
    page = signed_in_client(ada).get(reverse("story_branches", args=[story.pk])).content.decode()
    assert "The newest 3 ways it has gone." in page


def test_empty_branches_hide_no_other(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """One on which nothing was played, or from which all is in the trash, stands there only while it is played."""
    monkeypatch.setattr(branches, "MOST", 3)
    story = make_story(ada, turns=5)
    root = story.head
    assert root is not None
    left = fork(story, parent=root, at=3, count=1)
    Segment.objects.bulk_create([Segment(story=story, parent=root, fork=3) for _ in range(9)])
    gone = fork(story, parent=root, at=4, count=1)
    trash_turn(turn=Turn.objects.get(segment=gone))
    play_branch(story=story, segment=root.pk)
    story.refresh_from_db()
    assert [one.id for one in list_branches(story)] == sorted([root.pk, left.pk])  # both may be of one millisecond


def test_a_branch_just_begun_names_no_turn_of_its_own(ada: User) -> None:
    """It says where it leaves, and claims no turn that is not there."""
    story = make_story(ada, turns=5)
    begun = Segment.objects.create(story=story, parent=story.head, fork=3)
    play_branch(story=story, segment=begun.pk)
    story.refresh_from_db()
    assert [one.last_position for one in list_branches(story) if one.here] == [None]
    page = signed_in_client(ada).get(reverse("story_branches", args=[story.pk])).content.decode()
    assert 'No turn of its own yet.</p><p class="small mute">Leaves after turn 2</p>' in page
