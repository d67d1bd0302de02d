"""Chats for other programs tell every line from its opening on: of very many lines not all are told."""

from __future__ import annotations

import pytest

from mindstage.accounts.models import User
from mindstage.stories.editions import chat
from mindstage.stories.editions.opening import open_story
from mindstage.stories.models import Story
from stories.scenes import fork, make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


def test_a_tree_of_many_leaves_is_not_told_as_often_as_it_has_leaves(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The played line always; of the others the newest, as long as there is room. The data files have every one."""
    monkeypatch.setattr(chat, "MOST_MESSAGES", 100, raising=False)
    story = make_story(ada, turns=20)
    root = story.head
    assert root is not None
    made = sorted([fork(story, parent=root, at=18, count=1) for _ in range(9)], key=lambda one: one.pk)
    Story.objects.filter(pk=story.pk).update(head=made[0])
    story.refresh_from_db()
    told = [leaf.pk for leaf in chat.list_leaves(open_story(story))]
    assert told == [made[0].pk, *(one.pk for one in made[5:])]


def test_a_long_line_is_told_however_long(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "MOST_MESSAGES", 5, raising=False)
    story = make_story(ada, turns=9)
    assert [leaf.pk for leaf in chat.list_leaves(open_story(story))] == [story.head_id]
