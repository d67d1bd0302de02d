"""What a page shows of a story: rendered safely, with its versions, and where it goes on."""

from __future__ import annotations

import pytest

from mindstage.accounts.models import User
from mindstage.config.configuration import ProviderEntry
from mindstage.stories import reading, revisions
from mindstage.stories.meter import read_meter
from mindstage.stories.models import Story, Turn
from mindstage.stories.reading import Stretch
from stories.house import provide
from stories.scenes import fork, make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def story(ada: User) -> Story:
    """Opening, line, reply, line, reply."""
    return make_story(ada, turns=5)


def stretch(story: Story, **window: int) -> Stretch:
    story.refresh_from_db()
    return reading.read_stretch(story, reading.open_stage(story), **window)


def say(story: Story, position: int, text: str, **columns: object) -> None:
    """Let a turn say something else, as if it had always."""
    turn = Turn.objects.get(story=story, position=position)
    for name, value in columns.items():
        setattr(turn, name, value)
    turn.seal(text=text).save()


def test_one_version_after_another(story: Story) -> None:
    """The number of versions, which one is shown, and the neighbours to go to."""
    first = Turn.objects.get(story=story, position=2)
    second = revisions.add_version(turn=first, text="Second.")
    third = revisions.add_version(turn=first, text="Third.")
    shown = stretch(story).turns[2]
    assert (shown.variant_number, shown.variant_count, shown.variant_ids) == (3, 3, (second.pk, None))
    revisions.choose_version(turn=third, version=second.pk)
    shown = stretch(story).turns[2]
    assert (shown.variant_number, shown.variant_ids, shown.edited) == (2, (first.pk, third.pk), True)
    assert stretch(story).turns[1].variant_ids == (None, None)


def test_versions_belong_to_their_branch(story: Story) -> None:
    """The same position of two branches has versions of its own on each."""
    root = story.head
    assert root is not None
    fork(story, parent=root, at=2, count=1)
    assert [turn.variant_count for turn in stretch(story).turns] == [1, 1, 1]


def test_who_speaks_and_how(story: Story) -> None:
    """What is said stands in quotation marks once; a scenario's narrator has no name, its player has."""
    say(story, 1, "Good evening.", kind="say")
    say(story, 3, "“Already quoted.”", kind="say")
    turns = stretch(story).turns
    assert "“Good evening.”" in turns[1].html
    assert turns[1].text == "Good evening."
    assert turns[3].html.count("“") == 1
    assert [turn.speaker for turn in turns] == ["", "Ada", "", "Ada", ""]
    assert [turn.mine for turn in turns] == [False, True, False, True, False]
    assert [turn.is_last for turn in turns] == [False] * 4 + [True]


@pytest.mark.parametrize("position", [1, 2])
def test_no_text_is_markup(story: Story, position: int) -> None:
    """A line or a reply full of HTML is shown as words."""
    say(story, position, "<script>alert(1)</script> <img src=x onerror=y> ![i](http://evil.example/i.png) **bold**")
    html = stretch(story).turns[position].html
    assert "<script" not in html
    assert "<img" not in html
    assert "<strong>bold</strong>" in html


@pytest.mark.parametrize(
    ("state", "problem", "told"),
    [("failed", "closed", "broke off"), ("failed", "gone-kind", "damaged"), ("finished", "", "")],
)
def test_a_failed_reply_says_why(story: Story, state: str, problem: str, told: str) -> None:
    """By the sentence of its kind; also for a kind that this program does not know any more."""
    say(story, 4, "So f", state=state, problem=problem)
    assert told in stretch(story).turns[4].problem


def test_windows_of_a_page(ada: User) -> None:
    """The last 50, those before, those after; and whether the path goes on before them."""
    story = make_story(ada, turns=120)
    last = stretch(story)
    assert (last.first_position, last.last_position, last.has_earlier) == (70, 119, True)
    middle = stretch(story, before=70)
    assert (middle.first_position, middle.last_position, middle.has_earlier) == (20, 69, True)
    assert (stretch(story, before=20).first_position, stretch(story, before=20).has_earlier) == (0, False)
    assert [turn.position for turn in stretch(story, after=117).turns] == [118, 119]
    assert stretch(story, before=0).turns == stretch(story, after=119).turns == []


def test_a_card_of_the_desk(story: Story) -> None:
    """Title, the end of the last turn that has words, and how far the story is."""
    say(story, 4, "")
    card = reading.read_card(story, "/there/")
    assert (card.title, card.excerpt, card.turns) == ("The Lamp", "Line 3 of the story.", 4)
    say(story, 4, "word " * 200)
    excerpt = reading.read_card(story, "/there/").excerpt
    assert excerpt.endswith("word…")
    assert len(excerpt) <= 241


def test_the_meter_adds_up(story: Story, settings: object) -> None:
    """The parts of the context meter are the whole context, and the last turns are among them."""
    provide(settings, ProviderEntry(id="fake", base_url="http://127.0.0.1:9/v1", models=("fake",)))
    meter = read_meter(story)
    assert meter is not None
    assert sum(part.tokens for part in meter.parts) == meter.context
    assert abs(sum(part.share for part in meter.parts) - 1) < 1e-9
    assert 0 < meter.used < meter.context
    assert next(part.tokens for part in meter.parts if part.id == "turns") > 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The lamp swung.", "The lamp swung."),
        ("The lamp swung. Nobody spoke then.", "The lamp swung…"),
        ("The lamp swung, and nobody spoke.", "The lamp swung…"),
        ("Thelampswungandnobodyspoke.", "Thelampswungandn…"),
    ],
)
def test_a_beginning_is_marked_as_cut_once(text: str, shown: str) -> None:
    """An ellipsis, and no fourth dot before it."""
    assert reading.shortened(text, 16) == shown
