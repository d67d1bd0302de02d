"""How turns are told, and how many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.prompts import history
from mindstage.prompts.inputs import PastTurn, Role

COSTS = st.lists(st.integers(1, 40), min_size=1, max_size=90)


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("do", "I open the door.", "Mira: I open the door."),
        ("do", "Mira opens the door.", "Mira opens the door."),
        ("say", " Hello? ", 'Mira: "Hello?"'),
        ("say", '"Hello," I say.', 'Mira: "Hello," I say.'),
        ("story", "Night falls.", "Night falls."),
        ("ooc", "More rain, please.", "[Note from the author: More rain, please.]"),
        ("reply", "{{char}} nods.", "{{char}} nods."),
        ("say", "{{roll:6}} <USER>", 'Mira: "{{roll:6}} <USER>"'),
    ],
)
def test_each_kind_of_turn_is_told_in_its_way(kind: str, text: str, told: str) -> None:
    """Acts like a script, speech in quotes, narration bare, asides in brackets; macros in them stay."""
    assert history.told(PastTurn(1, kind, "x", text), persona="Mira") == told


def test_a_person_without_a_name_is_you() -> None:
    """An empty persona leaves no line that begins with a colon."""
    assert history.told(PastTurn(1, "do", "", "I wait."), persona="") == "You: I wait."


def start(costs: list[int], room: int, first: int = 0) -> int:
    return history.first_kept(range(first, first + len(costs)), costs, room=room, whole=first == 0)


def test_old_turns_leave_eight_at_a_time() -> None:
    """With room for twenty equal turns the start stands on multiples of eight, and moves every eighth turn."""
    starts = [start([1] * length, 20) for length in range(1, 60)]
    assert starts[:20] == [0] * 20
    assert set(starts) == {0, 8, 16, 24, 32, 40}
    assert starts == sorted(starts)


def test_little_room_means_smaller_blocks() -> None:
    """With room for five turns blocks shrink, and at least half of the room stays in use."""
    starts = [start([1] * length, 5) for length in range(1, 60)]
    assert all(3 <= length - at <= 5 for length, at in enumerate(starts, 1) if length > 5)
    assert len(set(starts)) < 59 / 2


def test_one_turn_that_does_not_fit_keeps_none() -> None:
    """The caller is told, and shortens it."""
    assert start([9], 8) == 1
    assert start([9, 3], 8) == 1
    assert history.first_kept([], [], room=8, whole=True) == 0


@given(COSTS, st.integers(40, 300), st.integers(0, 100))
def test_the_start_only_moves_forward(costs: list[int], room: int, first: int) -> None:
    """However long the turns are, adding one never brings an older one back, and what is kept fits."""
    starts = [start(costs[:length], room, first) for length in range(1, len(costs) + 1)]
    assert starts == sorted(starts)
    assert all(sum(costs[at : length + 1]) <= room for length, at in enumerate(starts))


@given(COSTS, st.integers(40, 300), st.integers(1, 30))
def test_the_window_that_was_loaded_does_not_matter(costs: list[int], room: int, cut: int) -> None:
    """A shorter window of the same turns gives the same start, if it holds more than fits."""
    at = start(costs, room)
    shorter = costs[min(cut, max(0, at - 1)) :]
    first = len(costs) - len(shorter)
    if at and first:
        assert start(shorter, room, first) + first == at


def test_roles_alternate() -> None:
    """The person's words in a row are one message; between two replies stands a short request."""
    exchange = history.Exchange(system="S")
    for role in (Role.NARRATOR, Role.NARRATOR, Role.PERSON, Role.PERSON):
        exchange.add(role, role.value)
    assert [(message.role.value, message.content) for message in exchange.messages] == [
        ("system", "S"),
        ("user", history.TELL),
        ("assistant", "assistant"),
        ("user", history.GO_ON),
        ("assistant", "assistant"),
        ("user", "user\n\nuser"),
    ]
    assert exchange.settled() == 5
