"""The starter scenarios: six, different, within the sizes that a tiny model can read, and alive."""

from __future__ import annotations

import re

import pytest

from mindstage.library.starters import Starter, StarterLore, starter, starters

EACH = pytest.mark.parametrize("scenario", starters(), ids=lambda scenario: scenario.slug)


def words(text: str) -> int:
    return len(text.split())


def occurs(key: str, text: str) -> bool:
    """Whether `key` stands in `text` as whole words, in any case."""
    return re.search(rf"(?<!\w){re.escape(key)}(?!\w)", text, re.IGNORECASE) is not None


def fires(entry: StarterLore, text: str) -> bool:
    return any(occurs(key, text) for key in entry.keys)


def test_six_of_different_genres() -> None:
    """There are six starters, no two of one genre, title or slug, and some for every reader."""
    assert len(starters()) == 6
    for field in ("slug", "title", "genre", "tagline"):
        assert len({getattr(scenario, field) for scenario in starters()}) == 6
    assert {scenario.rating for scenario in starters()} == {"everyone", "teen"}


def test_found_by_slug() -> None:
    """A slug leads to its starter, an unknown one nowhere; reading again gives the same objects."""
    for scenario in starters():
        assert starter(scenario.slug) is scenario
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", scenario.slug)
    with pytest.raises(KeyError):
        starter("../secrets")


@EACH
def test_sizes(scenario: Starter) -> None:
    """Each text keeps to its number of words."""
    assert 60 <= words(scenario.premise) <= 120
    assert words(scenario.tagline) <= 20
    assert all(120 <= words(opening.text) <= 220 for opening in scenario.openings)
    assert 1 <= len(scenario.cast) <= 3
    assert 4 <= len(scenario.lore) <= 7
    for member in scenario.cast:
        assert words(member.description) <= 60
        assert words(member.personality) <= 20
        assert words(member.role) <= 14
    assert all(words(entry.content) <= 45 for entry in scenario.lore)


@EACH
def test_cast_is_met(scenario: Starter) -> None:
    """Whoever is in the cast is named in the premise or an opening, so that a player knows them."""
    told = " ".join([scenario.premise, *(opening.text for opening in scenario.openings)])
    for member in scenario.cast:
        assert occurs(member.name, told)


@EACH
def test_example_dialogue(scenario: Starter) -> None:
    """Examples are in card form: a start mark and two or three exchanges."""
    for member in scenario.cast:
        lines = member.example_dialogue.splitlines()
        assert lines[0] == "<START>"
        speakers = [line.partition(":")[0] for line in lines[1:]]
        assert speakers == ["{{user}}", "{{char}}"] * (len(speakers) // 2)
        assert 2 <= len(speakers) // 2 <= 3


@EACH
def test_lore_can_fire(scenario: Starter) -> None:
    """Each entry is called up by words that the story itself uses, and two at least by each opening."""
    shown = [scenario.premise, *(opening.text for opening in scenario.openings)]
    for entry in scenario.lore:
        others = [other.content for other in scenario.lore if other is not entry]
        assert entry.constant or fires(entry, " ".join(shown + others)), entry.name
    for opening in scenario.openings:
        assert sum(fires(entry, opening.text) for entry in scenario.lore) >= 2


@EACH
def test_lore_keys_are_plain_words(scenario: Starter) -> None:
    """Keys are at least two, lower-case words of three letters or more, none of them twice in an entry."""
    for entry in scenario.lore:
        assert len(set(entry.keys)) == len(entry.keys) >= 2
        for key in entry.keys:
            assert re.fullmatch(r"[^\W\d_][\w’ -]{2,}", key)
            assert key == key.lower()


@EACH
def test_typography(scenario: Starter) -> None:
    """Printed quotation marks and dashes, no macro outside the examples, nothing but paragraphs and emphasis."""
    texts = [scenario.title, scenario.tagline, scenario.premise, scenario.persona_hint]
    texts += [opening.text for opening in scenario.openings] + [entry.content for entry in scenario.lore]
    texts += [member.description for member in scenario.cast]
    for text in texts:
        assert not set("\"'`<>{}[]#_") & set(text)
        assert "--" not in text
        assert "  " not in text
        assert text.count("“") == text.count("”")
        assert text.count("*") % 2 == 0
    for member in scenario.cast:
        assert not set("\"'`") & set(member.example_dialogue)
