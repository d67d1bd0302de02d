"""Turns at addresses of their own: parts for the script of a story's page, pages for everybody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from mindstage.accounts.models import User
from mindstage.stories import turns
from mindstage.stories.models import Turn
from mindstage.stories.reading import read_stretch
from mindstage.stories.revisions import trash_turn
from mindstage.stories.views import stories
from people import make_person, signed_in_client
from stories.scenes import end_reply, fork, make_story, new_id, scene_of, word_at

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])
SCRIPT = {"X-Partial": "1"}


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in_client(ada)


@pytest.mark.parametrize("query", ["", "?before=2", "?after=0"])
def test_a_stretch_of_turns_has_the_story_around_it(ada: User, client: Client, query: str) -> None:
    """Older ones at their place in it. The script gets the turns alone; nobody else anything."""
    story = make_story(ada, turns=3)
    address = reverse("turns", args=[story.pk]) + query
    there = reverse("story", args=[story.pk]) + (query if "before" in query else "")
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, there)
    page = client.get(there).content.decode()
    assert 'rel="stylesheet"' in page
    assert word_at(1) in page
    part = client.get(address, headers=SCRIPT).content.decode()
    assert "<html" not in part
    assert word_at(1) in part
    assert signed_in_client(make_person("cleo")).get(address).status_code == 404


def test_one_turn_is_a_page_that_leads_to_its_place(ada: User, client: Client) -> None:
    """With its words alone; the script gets the partial with its tools; nobody else anything."""
    story = make_story(ada, turns=3)
    home = reverse("story", args=[story.pk])
    for position, before in ((1, "?before=2"), (2, "")):
        turn = Turn.objects.get(story=story, position=position)
        address = reverse("turn", args=[story.pk, turn.pk])
        page = client.get(address).content.decode()
        assert 'rel="stylesheet"' in page
        assert word_at(position) in page
        assert f'href="{home}"' in page
        place = f"{home}{before}#t-{turn.pk}"
        assert f'href="{place}"' in page
        assert f'id="t-{turn.pk}"' in client.get(place).content.decode()
        part = client.get(address, headers=SCRIPT).content.decode()
        assert "<html" not in part
        assert f'id="t-{turn.pk}"' in part
        assert signed_in_client(make_person(f"cleo{position}")).get(address).status_code == 404


def test_a_turn_of_another_branch_leads_to_the_branches(ada: User, client: Client) -> None:
    story = make_story(ada, turns=3)
    assert story.head is not None
    turn = Turn.objects.get(story=story, position=2)
    fork(story, parent=story.head, at=2, count=1)
    page = client.get(reverse("turn", args=[story.pk, turn.pk])).content.decode()
    assert word_at(2) in page
    assert f'href="{reverse("story_branches", args=[story.pk])}"' in page
    assert "#t-" not in page


def test_a_turn_in_the_trash_has_no_page(ada: User, client: Client) -> None:
    """The script is told that nothing is there, as before."""
    turn = Turn.objects.get(story=make_story(ada, turns=3), position=2)
    trash_turn(turn=turn)
    address = reverse("turn", args=[turn.story_id, turn.pk])
    assert client.get(address).status_code == 404
    assert client.get(address, headers=SCRIPT).content == b""


def test_a_reply_that_ends_while_its_page_is_made_is_looked_for(
    ada: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page shows it as running, so it says which run that is: else it would stand there as running for good."""
    story = make_story(ada)
    taken = turns.take_turn(scene=scene_of(story), text="I wait.", mode="do", client_id=new_id())

    def read(*args: Any, **kwargs: Any) -> Any:
        stretch = read_stretch(*args, **kwargs)
        end_reply(taken)
        return stretch

    monkeypatch.setattr(stories, "read_stretch", read)
    page = client.get(reverse("story", args=[story.pk])).content.decode()
    assert 'aria-busy="true"' in page
    assert f'data-run="{taken.reply.id}"' in page
