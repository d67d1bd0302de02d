"""Take a turn, go on, draw again: what is stored, where it stands, and what is refused."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from mindstage.accounts.models import User
from mindstage.config.configuration import ProviderEntry
from mindstage.gateway.sendings import list_sent
from mindstage.stories import paths, turns
from mindstage.stories.models import Segment, Story, Turn
from mindstage.stories.refusals import EmptyTurn, NotSignedIn, NotYours, Refused, StillRunning, TurnTooLong, Unstorable
from mindstage.stories.turns import Taken
from stories.house import provide
from stories.scenes import end_reply, fork, last_reply, make_story, new_id, open_rows, scene_of, text_of, texts_of

ELSEWHERE = ProviderEntry(id="faraway", kind="openai", base_url="http://127.0.0.1:9/v1", models=("teller",))
"""Nobody listens there."""

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def story(ada: User) -> Story:
    return make_story(ada)


def take(story: Story, text: str = "I knock.", *, client_id: uuid.UUID | None = None, mode: str = "do") -> Taken:
    return turns.take_turn(scene=scene_of(story), text=text, mode=mode, client_id=client_id or new_id())


def take_whole(story: Story, text: str = "I knock.", answer: str = "So it went.") -> Taken:
    taken = take(story, text)
    end_reply(taken, answer)
    return taken


def test_a_turn_and_an_open_reply(story: Story) -> None:
    """The line stands after the opening, its reply after it, empty and running; the window holds what it answers."""
    taken = take(story)
    assert taken.begins
    assert taken.turn is not None
    assert (taken.turn.position, taken.reply.position) == (1, 2)
    assert open_rows(taken.scene, taken.window) == ["Line 0 of the story.", "I knock."]
    assert (last_reply(story).state, text_of(last_reply(story))) == ("running", "")


@pytest.mark.parametrize("mode", ["do", "say", "story", "ooc"])
def test_every_mode_is_kept(story: Story, mode: str) -> None:
    """What kind of line it was stays with it."""
    taken = take(story, mode=turns.check_mode(mode))
    assert taken.turn is not None
    assert Turn.objects.get(pk=taken.turn.id).kind == mode


@pytest.mark.parametrize("mode", ["", "reply", "opening", "DO", None, 7, ["do"], {"do": 1}])
def test_no_other_mode(mode: object) -> None:
    """Nobody writes a reply or an opening by naming it."""
    with pytest.raises(Refused):
        turns.check_mode(mode)


@pytest.mark.parametrize("act", ["", "erase", None, 7, ["retry"]])
def test_no_other_act(act: object) -> None:
    with pytest.raises(Refused):
        turns.check_act(act)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", EmptyTurn),
        (" \n\t \r\n", EmptyTurn),
        ("x" * 16_001, TurnTooLong),
        ("x" * 100_000, TurnTooLong),
        ("nul \x00 in it", Unstorable),
        ("half \ud83d a sign", Unstorable),
        ("\udc00", Unstorable),
        (None, Refused),
        (17, Refused),
        (["a"], Refused),
        ({"text": "a"}, Refused),
    ],
)
def test_what_is_no_line(text: object, refusal: type[Refused]) -> None:
    """Empty, too long, broken characters, no text at all: each refused with a sentence of its own."""
    with pytest.raises(refusal) as told:
        turns.check_text(text)
    assert told.value.sentence.endswith(".")
    assert "x" * 20 not in str(told.value)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), min_size=1, max_size=200))
def test_every_other_text_is_a_line(text: str) -> None:
    """Any script, sign or control character is kept as it is, but for blank edges."""
    if text.strip():
        assert turns.check_text(text) == text.strip()
    else:
        with pytest.raises(EmptyTurn):
            turns.check_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "مرحبا بك",
        "灯塔 👩‍👩‍👧‍👦 🇺🇳",
        "e\u0301 \u202eevil\u202c \u200d\u2066x\u2069",
        "\ufeffbom",
        "a\x07\x1b[31mb",
        "𝕏\U0010ffff",
        pytest.param("x" * 16_000, id="16,000 characters"),
    ],
)
def test_odd_text_comes_back_as_it_was(story: Story, text: str) -> None:
    """Signs beyond the first plane, joiners, direction marks and controls are sealed and opened unchanged."""
    take(story, turns.check_text(text))
    assert text in texts_of(story)


def test_line_ends_become_plain() -> None:
    assert turns.check_text("a\r\nb\rc\n") == "a\nb\nc"


def test_the_same_act_is_one_turn(story: Story) -> None:
    """A form sent twice finds its first turn and reply, while it runs and after."""
    client_id = new_id()
    first = take(story, client_id=client_id)
    for _ in range(2):
        again = take(story, "changed since", client_id=client_id)
        assert (again.turn, again.reply, again.begins) == (first.turn, first.reply, False)
        end_reply(first)
    assert Turn.objects.filter(story=story).count() == 3


def test_the_same_going_on_is_one_reply(story: Story) -> None:
    client_id = new_id()
    first = turns.go_on(scene=scene_of(story), client_id=client_id)
    again = turns.go_on(scene=scene_of(story), client_id=client_id)
    assert (again.reply, again.begins) == (first.reply, False)
    end_reply(first)
    drawing = new_id()
    drawn = turns.draw_again(scene=scene_of(story), reply=first.reply.id, client_id=drawing)
    end_reply(drawn)
    repeated = turns.draw_again(scene=scene_of(story), reply=first.reply.id, client_id=drawing)
    assert (repeated.reply, repeated.begins) == (drawn.reply, False)
    assert Turn.objects.filter(story=story).count() == 3


def test_one_id_in_two_stories_is_two_turns(ada: User, story: Story) -> None:
    """A client id counts within its story."""
    client_id, other = new_id(), make_story(ada)
    assert take(story, client_id=client_id).begins
    assert take(other, client_id=client_id).begins


def test_a_turn_whose_reply_was_deleted_is_not_played_again(story: Story) -> None:
    """The same form once more, long after: refused with a sentence, nothing changed."""
    client_id = new_id()
    taken = take(story, client_id=client_id)
    Turn.objects.filter(pk=taken.reply.id).delete()
    with pytest.raises(Refused):
        take(story, client_id=client_id)


def test_nothing_else_while_a_reply_runs(story: Story) -> None:
    """Every act waits for the end of the running reply, on other branches too."""
    before = take_whole(story)
    take(story)
    for act in (
        lambda: take(story),
        lambda: turns.go_on(scene=scene_of(story), client_id=new_id()),
        lambda: turns.draw_again(scene=scene_of(story), reply=before.reply.id, client_id=new_id()),
    ):
        with pytest.raises(StillRunning):
            act()
    assert Turn.objects.filter(story=story).count() == 5


def test_go_on_without_a_line(story: Story) -> None:
    """The reply stands right after the last turn, and belongs to the act that asked for it."""
    taken = turns.go_on(scene=scene_of(story), client_id=new_id())
    assert (taken.turn, taken.reply.position) == (None, 1)
    assert open_rows(taken.scene, taken.window) == ["Line 0 of the story."]


def test_the_last_reply_gets_a_variant_in_place(story: Story) -> None:
    """Drawing the last reply again keeps the old words as a version, and does not read them to the narrator."""
    first = take_whole(story, answer="First.")
    drawn = turns.draw_again(scene=scene_of(story), reply=first.reply.id, client_id=new_id())
    assert open_rows(drawn.scene, drawn.window) == ["Line 0 of the story.", "I knock."]
    end_reply(drawn, "Second.")
    rows = Turn.objects.filter(story=story, position=2).order_by("variant")
    assert [(row.variant, row.chosen, text_of(row)) for row in rows] == [(0, False, "First."), (1, True, "Second.")]
    assert Segment.objects.filter(story=story).count() == 1


def test_an_earlier_reply_begins_a_branch(story: Story) -> None:
    """Drawing an earlier reply again leaves the line after it untouched, on its own branch."""
    first, _ = take_whole(story, answer="First."), take_whole(story, "I enter.", "Later.")
    old_head = scene_of(story).head
    drawn = turns.draw_again(scene=scene_of(story), reply=first.reply.id, client_id=new_id())
    end_reply(drawn, "Otherwise.")
    scene = scene_of(story)
    assert scene.head == drawn.segment != old_head
    assert open_rows(scene, paths.read_back(scene.head, limit=9)) == ["Line 0 of the story.", "I knock.", "Otherwise."]
    assert open_rows(scene, paths.read_back(old_head, limit=9))[2:] == ["First.", "I enter.", "Later."]


def test_continue_keeps_the_words(story: Story) -> None:
    """The new version begins with the words of the one it goes on from; that one is kept."""
    first = take_whole(story, answer="The door opens")
    onward = turns.draw_again(scene=scene_of(story), reply=first.reply.id, client_id=new_id(), keep_words=True)
    assert text_of(last_reply(story)) == "The door opens"
    assert onward.continues is not None
    assert onward.continues.id == first.reply.id


def test_only_a_reply_of_this_path_is_drawn_again(ada: User, story: Story) -> None:
    """A person's line, another story's reply, and one that another branch has left behind are refused."""
    first, second = take_whole(story), take_whole(story)
    other = take_whole(make_story(ada))
    assert first.turn is not None
    root = scene_of(story).head
    fork(story, parent=Segment.objects.get(pk=root), at=2, count=1)
    for reply in (first.turn.id, other.reply.id, second.reply.id, uuid.uuid4()):
        with pytest.raises(NotYours):
            turns.draw_again(scene=scene_of(story), reply=reply, client_id=new_id())


def test_a_turn_in_the_trash_keeps_its_place(story: Story) -> None:
    """The next turn takes a number of its own, so that taking the old one back makes no clash."""
    taken = take_whole(story)
    Turn.objects.filter(story=story, position__gte=1).update(trashed_at="2026-01-01T00:00:00Z")
    after = take_whole(story)
    assert after.turn is not None
    assert after.turn.position == taken.reply.position + 1
    assert open_rows(after.scene, after.window) == ["Line 0 of the story.", "I knock."]


def test_a_turn_that_leaves_is_noted_with_it(story: Story, settings: Any) -> None:
    """The note is of the same transaction as the turn, names where the request will go, and says if that is new."""
    provide(settings, ELSEWHERE)
    taken = take(story)
    assert taken.noted is not None
    assert (taken.noted.route.provider_id, taken.noted.first) == ("faraway", True)
    assert [sent.requests for sent in list_sent(story.owner_id)] == [1]
    end_reply(taken, "So it went.")
    again = turns.draw_again(scene=scene_of(story), reply=taken.reply.id, client_id=new_id()).noted
    assert again == replace(taken.noted, first=False)
    assert [sent.requests for sent in list_sent(story.owner_id)] == [2]


def test_no_turn_of_an_account_that_closed_meanwhile(story: Story, settings: Any) -> None:
    """Frozen between the look at its session and the note: nothing is noted, nothing stored."""
    provide(settings, ELSEWHERE)
    scene, before = scene_of(story), texts_of(story)
    User.objects.filter(pk=story.owner_id).update(state=User.State.FROZEN)
    with pytest.raises(NotSignedIn), transaction.atomic():
        turns.take_turn(scene=scene, text="I knock.", mode="do", client_id=new_id())
    assert (texts_of(story), list_sent(story.owner_id)) == (before, [])


def test_a_narrator_of_this_machine_is_not_noted(story: Story) -> None:
    """Nothing leaves, so nobody got anything."""
    assert take(story).noted is None
    assert list_sent(story.owner_id) == []
