"""The page of the trash, and what other pages say of it."""

from __future__ import annotations

import re

import pytest
from django.db.models import Sum

from mindstage.accounts.access_counts import AccessCount, store_counts
from mindstage.accounts.models import User
from mindstage.kit import clock, ids
from mindstage.rights import trash, views
from mindstage.stories.models import Story, Turn
from mindstage.stories.revisions import trash_turn
from mindstage.stories.trash import trash_story
from mindstage.vault.keys import KeyGone, item_key
from people import make_person, signed_in_client
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> User:
    return make_person("ada")


def throw_turns_away(story: Story, *, count: int) -> None:
    """The last turns of a story, by their own hand."""
    for turn in Turn.objects.filter(story=story).order_by("-position")[:count]:
        trash_turn(turn=turn)


def openings() -> int:
    """How often anything was opened so far."""
    store_counts()
    return AccessCount.objects.aggregate(all=Sum("count"))["all"] or 0


def test_your_data_counts_the_trash_without_opening_it(ada: User) -> None:
    """Who looks at the page has not looked into the trash: the list of openings must not say so."""
    client = signed_in_client(ada)
    stories = [make_story(ada, turns=9) for _ in range(2)]
    client.get("/your-data/")
    before = openings()
    client.get("/your-data/")
    costs = openings() - before
    throw_turns_away(stories[0], count=7)
    trash_story(story=stories[1])
    before = openings()
    page = client.get("/your-data/").content.decode()
    assert "where 8 things lie now" in page
    assert openings() - before == costs


def test_a_full_trash_shows_its_newest(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more are opened than are shown; the page says how many there are, and the next come up."""
    monkeypatch.setattr(trash, "MOST", 5)
    client = signed_in_client(ada)
    story = make_story(ada, turns=12)
    throw_turns_away(story, count=9)
    page = client.get("/trash/").content.decode()
    assert page.count("Take it back") == 5
    assert "These are the newest 5 of 9." in page
    before = openings()
    client.get("/trash/")
    assert openings() - before <= 5 * 2 + 3  # each one's first words and its story's title; the page's own
    for shown in trash.list_trash(ada.pk):
        assert trash.end_now(ada.pk, shown.id)
    page = client.get("/trash/").content.decode()
    assert page.count("Take it back") == 4
    assert "These are the newest" not in page


def test_a_turn_of_many_versions_counts_once(ada: User) -> None:
    """One thing on the page, however many texts it has."""
    story = make_story(ada, turns=3)
    turn = Turn.objects.filter(story=story).latest("position")
    other = Turn(story=story, segment=turn.segment, position=turn.position, variant=1, kind=turn.kind, chosen=False)
    other.seal(text="Another way.").save(force_insert=True)
    trash_turn(turn=turn)
    assert Turn.objects.filter(trashed_at__lte=clock.now()).count() == 2
    assert trash.count_trash(ada.pk) == len(trash.list_trash(ada.pk)) == 1


def test_what_is_final_is_asked_first(ada: User) -> None:
    """One press beside “Take it back” ends nothing: the button that does stands folded behind it."""
    trash_story(story=make_story(ada))
    page = signed_in_client(ada).get("/trash/").content.decode()
    folded = page[page.index('<details class="sure">') : page.index("</details>", page.index('<details class="sure">'))]
    assert "Delete now" in folded.partition("</summary>")[0]
    assert "/end/" in folded.partition("</summary>")[2]
    assert page.count("/end/") == folded.count("/end/") + page.count("/session/end/")


def test_it_is_emptied_at_once(ada: User) -> None:
    """What its page has shown ends, keys and rows; what came after the look and what is another's stays."""
    ben = make_person("ben")
    theirs = make_story(ben, turns=1)
    trash_story(story=theirs)
    first, kept, later = (make_story(ada, turns=9) for _ in range(3))
    trash_story(story=first)
    throw_turns_away(kept, count=2)
    client = signed_in_client(ada)
    assert 'href="/trash/empty/"' in client.get("/trash/").content.decode()
    page = client.get("/trash/empty/").content.decode()
    items = re.findall(r'name="item" value="([^"]+)"', page)
    assert ("These 3 things end" in page, len(items)) == (True, 3)
    trash_story(story=later)
    done = client.post("/trash/empty/", {"item": [*items, str(theirs.pk), "no identifier"]}, follow=True)
    assert "is deleted for good" in done.content.decode()
    assert [one.id for one in trash.list_trash(ada.pk)] == [later.pk]
    assert not Story.objects.filter(pk=first.pk).exists()
    with pytest.raises(KeyGone):
        item_key(first.pk)
    assert Turn.objects.filter(story=kept).count() == 7
    assert [one.id for one in trash.list_trash(ben.pk)] == [theirs.pk]


def test_an_empty_trash_offers_nothing_to_empty(ada: User) -> None:
    client = signed_in_client(ada)
    assert "/trash/empty/" not in client.get("/trash/").content.decode().split("<main")[1]
    page = client.get("/trash/empty/").content.decode()
    assert ("It is empty already." in page, 'name="item"' in page) == (True, False)


def test_a_slow_disk_lets_one_press_again(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not managed in time is not called deleted: it stands there once more, and each press gets further."""
    throw_turns_away(make_story(ada, turns=9), count=2)
    client = signed_in_client(ada)
    monkeypatch.setattr(views.trash, "PATIENCE", -1)
    for left in (1, 0):
        items = re.findall(r'name="item" value="([^"]+)"', client.get("/trash/empty/").content.decode())
        page = client.post("/trash/empty/", {"item": items}, follow=True).content.decode()
        assert len(trash.list_trash(ada.pk)) == left
        assert ("these are left" in page, "What you saw there" in page) == (bool(left), not left)


def test_two_of_one_title_are_told_apart(ada: User) -> None:
    """On the desk, in the list and in the trash: by the moment at which each was begun. One alone needs that nowhere
    on the desk."""
    client, stories = signed_in_client(ada), [make_story(ada)]
    assert "begun on" not in client.get("/").content.decode()
    stories += [make_story(ada) for _ in range(2)]
    moments = [f'<time datetime="{made.isoformat()}">' for made in (ids.made_at(story.pk) for story in stories) if made]
    assert len(set(moments)) == 3
    assert sum(moment in client.get("/").content.decode() for moment in moments) == 2  # the newest has its own place
    assert all(moment in client.get("/stories/").content.decode() for moment in moments)
    for story in stories:
        trash_story(story=story)
    page = client.get("/trash/").content.decode()
    assert all(moment in page for moment in moments)
