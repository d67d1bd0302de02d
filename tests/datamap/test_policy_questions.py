"""To which wording an answer belongs is computed from the released maps."""

from __future__ import annotations

import copy
from datetime import date, timedelta

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
    new = changed("entry", "story", purpose="dpv:ServiceOptimisation")
    new["entry"]["diary"] = dict(new["entry"]["story"], id="diary")
    question = ask(line(present(), new), new)["entry:story"]
    assert question.version == 2
    assert "to tell stories with you" in question.asks
    assert "to make the program better" in question.asks
    assert "entry:diary" not in ask(line(present(), new), new)


def test_what_waits_for_a_yes() -> None:
    """A consented entry is opened for its person's rights alone; a changed purpose guards what is new, not what was."""
    under = changed("entry", "draft", consent="personalisation", opened_for=["show", "export", "narrate"])
    assert {where: asked for where, asked in guard(line(present()), under).items() if asked} == {
        ("draft", "narrate"): ("personalisation",)
    }
    wider = [*present()["entry"]["story"]["opened_for"], "count"]
    new = changed("entry", "story", under, purpose="dpv:ServiceOptimisation", opened_for=wider)
    for done in (line(present()), line(present(), new)):
        found = guard(done, new)
        assert found["story", "count"] == ("entry:story",)
        assert found["story", "narrate"] == ()
        assert ("story", "show") not in found
    assert guard(line(present()), present())["story", "narrate"] == ()
