"""Change a story without losing anything: versions, choices, the trash, branches."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from mindstage.accounts.models import User
from mindstage.stories import paths, reading, revisions, turns
from mindstage.stories.models import Segment, Story, Turn
from mindstage.stories.refusals import NotYours, Refused, StillRunning
from people import signed_in_client
from stories.scenes import fork, last_reply, make_story, new_id, open_rows, scene_of, text_of

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def story(ada: User) -> Story:
    """Opening, line, reply, line, reply."""
    return make_story(ada, turns=5)


def at(story: Story, position: int) -> Turn:
    return Turn.objects.get(story=story, position=position, chosen=True)


def read(story: Story) -> list[str]:
    scene = scene_of(story)
    return open_rows(scene, paths.read_back(scene.head, limit=99))


def test_an_edit_is_a_new_version(story: Story) -> None:
    """The old words stay as a version of the same place; the new ones are chosen and marked as edited."""
    before = at(story, 1)
    version = revisions.add_version(turn=before, text="I wait.")
    assert read(story)[1] == "I wait."
    before.refresh_from_db()
    assert (before.chosen, text_of(before)) == (False, "Line 1 of the story.")
    assert (version.variant, version.edited, version.kind) == (1, True, before.kind)
    assert revisions.add_version(turn=before, text="I sit.").variant == 2


@pytest.mark.parametrize("position", [0, 1, 2, 4])
def test_every_turn_can_be_edited(story: Story, position: int) -> None:
    """Opening, one's own line, a reply in the middle and the last one."""
    revisions.add_version(turn=at(story, position), text="Anew.")
    assert [number for number, text in enumerate(read(story)) if text == "Anew."] == [position]


def test_a_version_is_chosen_and_chosen_back(story: Story) -> None:
    first = at(story, 2)
    second = revisions.add_version(turn=first, text="Otherwise.")
    revisions.choose_version(turn=second, version=first.pk)
    assert read(story)[2] == "Line 2 of the story."
    revisions.choose_version(turn=first, version=second.pk)
    assert read(story)[2] == "Otherwise."
    assert Turn.objects.filter(story=story, position=2, chosen=True).count() == 1


def test_no_version_of_another_place_or_story(ada: User, story: Story) -> None:
    """A version belongs to its place."""
    for foreign in (at(story, 3), at(make_story(ada, turns=3), 2)):
        with pytest.raises(NotYours):
            revisions.choose_version(turn=at(story, 2), version=foreign.pk)
    assert read(story)[2] == "Line 2 of the story."


def test_the_database_holds_one_chosen_version(story: Story) -> None:
    """Not even a fault of the program makes two versions of one place chosen."""
    revisions.add_version(turn=at(story, 2), text="Otherwise.")
    with pytest.raises(IntegrityError), transaction.atomic():
        Turn.objects.filter(story=story, position=2).update(chosen=True)


@pytest.mark.parametrize("position", [1, 2, 4])
def test_the_trash_and_back(story: Story, position: int) -> None:
    """In the middle or at the end: gone from page and prompt, and back at its place with all its versions."""
    turn = revisions.add_version(turn=at(story, position), text="Edited.")
    whole = read(story)
    revisions.trash_turn(turn=turn)
    assert read(story) == whole[:position] + whole[position + 1 :]
    assert paths.find_on_path(scene_of(story).head, position) is None
    revisions.untrash_turn(turn=turn)
    assert read(story) == whole
    assert Turn.objects.filter(story=story, position=position, trashed_at=None).count() == 2


def test_the_only_reply_in_the_trash(ada: User) -> None:
    """A story may come down to its opening and go on from there."""
    story = make_story(ada, turns=3)
    for position in (2, 1):
        revisions.trash_turn(turn=at(story, position))
    assert read(story) == ["Line 0 of the story."]
    taken = turns.take_turn(scene=scene_of(story), text="Again.", mode="do", client_id=new_id())
    assert taken.turn is not None
    assert taken.turn.position == 3


def test_the_opening_is_not_deleted(story: Story, ada: User) -> None:
    """No page offers it, and whoever asks all the same is refused."""
    page = signed_in_client(ada).get(reverse("story", args=[story.pk])).content.decode()
    offered = [f"turns/{at(story, position).pk}/trash/" in page for position in range(5)]
    assert offered == [False, True, True, True, True]
    with pytest.raises(Refused, match="Refused"):
        revisions.trash_turn(turn=at(story, 0))
    assert len(read(story)) == 5


def test_a_turn_in_the_trash_is_not_edited(story: Story) -> None:
    """It is refused with a sentence, also from a page that still shows it."""
    turn = at(story, 3)
    revisions.trash_turn(turn=turn)
    with pytest.raises(Refused):
        revisions.add_version(turn=turn, text="Late.")
    with pytest.raises(Refused):
        revisions.choose_version(turn=turn, version=turn.pk)


def test_nothing_on_a_reply_that_runs(story: Story) -> None:
    """Neither on the running reply nor on the line it answers is anything changed under it."""
    turns.take_turn(scene=scene_of(story), text="On.", mode="do", client_id=new_id())
    running = last_reply(story)
    for act in (
        lambda: revisions.add_version(turn=running, text="Mine."),
        lambda: revisions.trash_turn(turn=running),
        lambda: revisions.choose_version(turn=running, version=running.pk),
        lambda: revisions.trash_turn(turn=at(story, 5)),
    ):
        with pytest.raises(StillRunning):
            act()
    assert text_of(running) == ""


def test_a_branch_from_a_turn(story: Story) -> None:
    """The story goes on after that turn; what came after it is kept, and one can go back to it."""
    main = scene_of(story).head
    branch = revisions.branch_from(story=story, turn=at(story, 2))
    assert read(story) == [f"Line {number} of the story." for number in range(3)]
    turns.take_turn(scene=scene_of(story), text="Elsewhere.", mode="do", client_id=new_id())
    assert read(story)[3] == "Elsewhere."
    revisions.play_branch(story=story, segment=main)
    assert len(read(story)) == 5
    revisions.play_branch(story=story, segment=branch.pk)
    assert read(story)[3] == "Elsewhere."


def test_no_branch_of_a_turn_that_is_elsewhere(ada: User, story: Story) -> None:
    """A turn that another branch has left behind, and another story's branch, are refused."""
    late = at(story, 4)
    root = story.head
    assert root is not None
    fork(story, parent=root, at=2, count=1)
    with pytest.raises(NotYours):
        revisions.branch_from(story=story, turn=late)
    with pytest.raises(NotYours):
        revisions.play_branch(story=story, segment=Segment.objects.get(story=make_story(ada)).pk)


def test_a_change_on_a_shared_stretch_is_seen_on_both_branches(story: Story) -> None:
    """What lies before the fork belongs to both lines."""
    root = story.head
    assert root is not None
    fork(story, parent=root, at=3, count=2)
    revisions.add_version(turn=at(story, 1), text="Shared.")
    assert read(story)[1] == "Shared."
    revisions.play_branch(story=story, segment=root.pk)
    assert read(story)[1] == "Shared."


def test_a_turn_is_shown_from_its_own_branch(ada: User, story: Story) -> None:
    """A page that shows one branch gets its own turn, also after another tab has moved the story to another."""
    root = story.head
    assert root is not None
    shown = at(story, 4)
    branch = fork(story, parent=root, at=4)
    other = Turn(story=story, segment=branch, position=4, kind="reply")
    other.seal(text="Elsewhere.").save(force_insert=True)
    page = signed_in_client(ada).get(reverse("turn", args=[story.pk, shown.pk]))
    assert "Line 4 of the story." in page.content.decode()
    assert "Elsewhere." not in page.content.decode()
    story.refresh_from_db()
    assert [view.text for view in reading.read_turn(story, reading.open_stage(story), other)] == ["Elsewhere."]


def test_the_acts_of_the_page(ada: User, story: Story) -> None:
    """Edit, choose, delete, undo and branch by the page's own addresses: partials for its script, a page for forms."""
    client, turn = signed_in_client(ada), at(story, 2)
    script = {"X-Partial": "1"}

    def address(name: str) -> str:
        return reverse(name, args=[story.pk, turn.pk])

    edited = client.post(address("variants"), {"text": "Otherwise **so**."}, headers=script)
    assert b"<strong>so</strong>" in edited.content
    chosen = client.post(address("choice"), {"variant": str(turn.pk)}, headers=script)
    assert b"Line 2 of the story." in chosen.content
    assert b"data-gone" in client.post(address("trash"), headers=script).content
    assert client.get(address("turn"), headers=script).content == b""
    assert b"Line 2 of the story." in client.post(address("trash_undo"), headers=script).content
    assert client.post(address("branches")).headers["Location"] == reverse("story", args=[story.pk])
    assert len(read(story)) == 3
    assert client.post(address("variants"), {"text": " "}, headers=script).status_code == 400
    assert client.post(address("choice"), {"variant": "no"}, headers=script).status_code == 400
    assert client.post(address("variants"), {"text": "x" * 16_001}).status_code == 413
