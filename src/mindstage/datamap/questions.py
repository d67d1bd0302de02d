"""What each person is asked, and to which wording an answer belongs: computed from the released maps, kept by nobody.

A consent's version is the number of the release in which its meaning last changed: its question, its purpose, or what
is used for it. An entry whose own purpose changes after the first release becomes a question too, until it is answered
the new use does not begin. docs/subsystems/policy.md
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from mindstage.datamap.content import Content, in_words, present
from mindstage.datamap.releases import Release, releases
from mindstage.kit import canonical

ONES_OWN: Final = frozenset({"sign_in", "show", "export"})
"""Whoever has not said yes to a use still gets in, sees what is held, and takes it along."""


@dataclass(frozen=True, slots=True)
class Question:
    """One switch. `version`: the release that brought its present meaning. `default` holds until it is answered."""

    id: str
    title: str
    asks: str
    version: int
    default: bool = False
    signal: bool = False
    adults_only: bool = False


@cache
def questions() -> dict[str, Question]:
    """Every question of the program as it is, also of a map that is not released yet. Raises MapFault."""
    return ask(releases(), present())


@cache
def guards() -> dict[tuple[str, str], tuple[str, ...]]:
    """(entry, purpose of opening) -> the questions to which its person must have said yes. Raises MapFault."""
    found = guard(releases(), present())
    return {where: asked for where, asked in found.items() if asked}


def guard(done: Sequence[Release], now: Content) -> dict[tuple[str, str], tuple[str, ...]]:
    """What `guards` says of the versions `done` and the program `now`.

    An entry with a consent waits for it, whatever it is opened for. One whose purpose has changed waits where it is
    opened for something that the version before did not know. What serves its person's own rights never waits.
    """
    changed = {key: found.version for key, found in ask(done, now).items() if key.startswith("entry:")}
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for key, entry in now["entry"].items():
        version, consent = changed.get(f"entry:{key}"), entry.get("consent", "")
        known = entry["opened_for"] if version is None else done[version - 2].content["entry"][key]["opened_for"]
        for purpose in set(entry["opened_for"]) - ONES_OWN:
            asked = [consent] if consent else []
            found[key, purpose] = tuple(asked + ([] if purpose in known else [f"entry:{key}"]))
    return found


def ask(done: Sequence[Release], now: Content) -> dict[str, Question]:
    """Every question that `now` puts, with the release in which it last changed."""
    line = [release.content for release in done]
    if not line or line[-1] != now:
        line.append(now)
    found = [*_of_consents(line), *_of_changed_purposes(line)]
    return {question.id: question for question in found}


def _of_consents(line: Sequence[Content]) -> Iterator[Question]:
    for key, consent in line[-1]["consent"].items():
        yield Question(
            id=key,
            title=consent["title"],
            asks=consent["asks"],
            version=_last_change([_meaning(content, key) for content in line]),
            default=consent["default"],
            signal=consent["signal"],
            adults_only=consent["adults_only"],
        )


def _meaning(content: Content, key: str) -> bytes:
    """What a yes is a yes to. A title that only reads better asks nobody again."""
    consent = content.get("consent", {}).get(key)
    if consent is None:
        return b""
    entries = content["entry"]
    uses = {
        name: [entry["purpose"], entry["recipients"], entry["opened_for"]]
        for name, entry in entries.items()
        if entry.get("consent") == key
    }
    return canonical.to_bytes([consent["asks"], consent["purpose"], uses])


def _of_changed_purposes(line: Sequence[Content]) -> Iterator[Question]:
    for key, entry in line[-1]["entry"].items():
        purposes = [content["entry"].get(key, {}).get("purpose") for content in line]
        version = _last_change(purposes)
        before = purposes[version - 2] if version > 1 else None
        if before is not None:
            yield Question(f"entry:{key}", entry["title"], _asks_of_entry(entry, before), version, default=True)


def _asks_of_entry(entry: dict[str, Any], before: str) -> str:
    return (
        f"Until now we held this {in_words(before)}. We would also use it {in_words(entry['purpose'])}; "
        "unless you say yes, it is not."
    )


def _last_change(meanings: Sequence[Any]) -> int:
    """The number, from 1, of the last version whose meaning is not that of the version before."""
    number = len(meanings)
    while number > 1 and meanings[number - 1] == meanings[number - 2]:
        number -= 1
    return number
