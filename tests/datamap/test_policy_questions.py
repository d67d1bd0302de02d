"""To which wording an answer belongs is computed from the released maps."""

from __future__ import annotations

import copy
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mindstage.datamap.content import Content, present
from mindstage.datamap.questions import Question, ask, guard
from mindstage.datamap.releases import Release

DAY = date(2026, 11, 24)


def line(*contents: Content) -> list[Release]:
    return [
        Release(number, DAY, DAY + timedelta(days=30 * number), (), content, "")
        for number, content in enumerate(contents, 1)
    ]


def changed(kind: str, key: str, before: Content | None = None, **changes: object) -> Content:
    content = copy.deepcopy(before or present())
    content[kind][key] |= changes
    return content


def of(questions: dict[str, Question], key: str) -> int:
    return questions[key].version


def counting(before: Content | None = None) -> Content:
    """A program that also counts in stories, to get better."""
    wider = [*present()["entry"]["story"]["opened_for"], "count"]
    return changed("entry", "story", before, purpose="dpv:ServiceOptimisation", opened_for=wider)


def test_the_three_switches() -> None:
    """Personalisation begins on, improvement and training off; the signal is about improvement, training for adults."""
    found = ask(line(present()), present())
    assert {key: question.default for key, question in found.items()} == {
        "personalisation": True,
        "improvement": False,
        "training": False,
    }
    assert [key for key, question in found.items() if question.signal] == ["improvement"]
    assert [key for key, question in found.items() if question.adults_only] == ["training"]
    assert {question.version for question in found.values()} == {1}


def test_a_version_is_the_release_of_the_last_change() -> None:
    """A release that changes something else leaves it; another question, or another purpose, makes it anew."""
    first = present()
    second = changed("entry", "story", title="Tales")
    third = changed("consent", "training", second, asks="Something else?")
    fourth = changed("consent", "improvement", third, purpose="dpv:Marketing")
    found = ask(line(first, second, third, fourth), fourth)
    assert (of(found, "personalisation"), of(found, "training"), of(found, "improvement")) == (1, 3, 4)


def test_a_better_title_asks_nobody_again() -> None:
    """What a yes meant is not in its title."""
    new = changed("consent", "training", title="Let models learn")
    assert of(ask(line(present(), new), new), "training") == 1


def test_another_use_of_an_entry_changes_what_a_yes_meant() -> None:
    """An entry that comes under a consent, or is opened for more, or goes to others, asks again."""
    under = changed("entry", "draft", consent="training")
    wider = changed("entry", "draft", under, opened_for=["show", "narrate"])
    further = changed("entry", "draft", wider, recipients=["somebody"])
    found = [ask(line(*contents), contents[-1]) for contents in ((present(), under), (present(), under, wider))]
    found.append(ask(line(present(), under, wider, further), further))
    assert [of(questions, "training") for questions in found] == [2, 3, 4]
    assert {of(questions, "improvement") for questions in found} == {1}


def test_a_map_that_is_not_released_is_the_next_version() -> None:
    """A program that does something else than its last version says does not count an old yes for it."""
    new = changed("consent", "training", asks="Something else?")
    assert of(ask(line(present()), new), "training") == 2


def test_a_changed_purpose_of_an_entry_is_a_question() -> None:
    """It names both purposes in words. An entry that is new asks nothing: it was announced with its purpose."""
    new = counting()
    new["entry"]["diary"] = dict(new["entry"]["story"], id="diary")
    question = ask(line(present(), new), new)["entry:story@2"]
    assert question.version == 2
    assert "to tell stories with you" in question.asks
    assert "to make the program better" in question.asks
    assert not [key for key in ask(line(present(), new), new) if key.startswith("entry:diary")]


def test_what_waits_for_a_yes() -> None:
    """A consented entry is opened for its person's rights alone; a changed purpose guards what is new, not what was."""
    under = changed("entry", "draft", consent="personalisation", opened_for=["show", "export", "narrate"])
    assert {where: asked for where, asked in guard(line(present()), under).items() if asked} == {
        ("draft", "narrate"): ("personalisation",)
    }
    new = counting(under)
    for done in (line(present()), line(present(), new)):
        found = guard(done, new)
        assert found["story", "count"] == ("entry:story@2",)
        assert found["story", "narrate"] == ()
        assert ("story", "show") not in found
    assert guard(line(present()), present())["story", "narrate"] == ()


def test_a_second_change_forgets_no_answer() -> None:
    """Who refused the first new purpose has refused it still when a second one comes; both questions stand."""
    second = counting()
    wider = [*second["entry"]["story"]["opened_for"], "advertise"]
    third = changed("entry", "story", second, purpose="dpv:Marketing", opened_for=wider)
    done = line(present(), second, third)
    found = guard(done, third)
    assert found["story", "count"] == ("entry:story@2",)
    assert found["story", "advertise"] == ("entry:story@3",)
    assert found["story", "narrate"] == ()
    asked = ask(done, third)
    assert [(of(asked, f"entry:story@{n}"), asked[f"entry:story@{n}"].default) for n in (2, 3)] == [
        (2, True),
        (3, True),
    ]


def test_a_question_that_nothing_keeps_is_not_asked() -> None:
    """Where a change of purpose opens nothing, a switch would be a promise without a lock (the check refuses it)."""
    for content in (changed("entry", "age_band", purpose="dpv:Marketing"), changed("entry", "story", purpose="x")):
        assert not [key for key in ask(line(present()), content) if key.startswith("entry:")]


PURPOSES, REASONS = ("tell", "improve", "sell"), ("narrate", "count", "rank", "show")
VERSIONS = st.lists(
    st.one_of(st.none(), st.tuples(st.sampled_from(PURPOSES), st.sets(st.sampled_from(REASONS), min_size=1))),
    min_size=1,
    max_size=7,
).filter(lambda versions: versions[-1] is not None)


@given(versions=VERSIONS, yes=st.sets(st.integers(2, 8)), released=st.booleans())
def test_nothing_is_allowed_that_was_refused_or_not_asked(
    versions: list[tuple[str, set[str]] | None], yes: set[int], released: bool
) -> None:
    """Whatever versions come, and whichever of their questions get a yes: the rest of the new purposes stays shut.

    A version that is None had no such entry. What was there with the first purpose needs nobody's yes.
    """
    contents = [of_diary(version) for version in versions]
    done = line(*(contents if released else contents[:-1]))
    asked = ask(done, contents[-1])
    for (_, reason), waits in guard(done, contents[-1]).items():
        assert set(waits) <= set(asked)
        allowed = all(asked[key].version in yes for key in waits)
        assert allowed == (needed(versions, reason) in {1, *yes}), reason


def of_diary(version: tuple[str, set[str]] | None) -> Content:
    entry = {"title": "Diary", "purpose": version[0], "opened_for": sorted(version[1])} if version else None
    return {"entry": {"diary": entry} if entry else {}, "consent": {}}


def needed(versions: list[tuple[str, set[str]] | None], reason: str) -> int:
    """By looking back: the version whose change of purpose a reason came with or after; 1 when there was none."""
    held = [(number, *version) for number, version in enumerate(versions, 1) if version]
    came = len(held) - 1
    while came > 0 and reason in held[came - 1][2]:
        came -= 1
    while came > 0 and held[came - 1][1] == held[came][1]:
        came -= 1
    return held[came][0] if came else 1
