"""What each person is asked, and to which wording an answer belongs: computed from the released maps, kept by nobody.

A consent's version is the number of the release in which its meaning last changed: its question, its purpose, or what
is used for it. Each release that gives an entry another purpose is a question too, for good: what the entry is opened
for since then does not begin without a yes to that one. docs/subsystems/policy.md
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from mindstage.datamap.content import ONES_OWN, Content, in_words, present
from mindstage.datamap.releases import Release, releases
from mindstage.kit import canonical


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


@dataclass(frozen=True, slots=True)
class NewUse:
    """The release `version` gave an entry another purpose; what it has been opened for since then serves that one."""

    entry: str
    version: int
    before: str
    purpose: str

    @property
    def id(self) -> str:
        return f"entry:{self.entry}@{self.version}"


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
    opened for something that came with that purpose: for the yes to that change, whatever changed after it. What
    serves its person's own rights never waits.
    """
    line = _line(done, now)
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for key, entry in now["entry"].items():
        consents, uses = [entry["consent"]] if entry.get("consent") else [], _new_uses(line, key)
        for reason in set(entry["opened_for"]) - ONES_OWN:
            found[key, reason] = tuple(consents + ([uses[reason].id] if reason in uses else []))
    return found


def ask(done: Sequence[Release], now: Content) -> dict[str, Question]:
    """Every question that `now` puts, with the release in which it last changed."""
    line = _line(done, now)
    found = [*_of_consents(line), *_of_new_uses(line)]
    return {question.id: question for question in found}


def _line(done: Sequence[Release], now: Content) -> list[Content]:
    """Every version, oldest first; a program that does something else than the last one says is the next."""
    line = [release.content for release in done]
    return line if line and line[-1] == now else [*line, now]


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


def _of_new_uses(line: Sequence[Content]) -> Iterator[Question]:
    """One question for each change of purpose by which something is opened today: none that nothing would keep."""
    for key, entry in line[-1]["entry"].items():
        for use in sorted(set(_new_uses(line, key).values()), key=lambda use: use.version):
            yield Question(use.id, entry["title"], _asks_of(use), use.version, default=True)


def _new_uses(line: Sequence[Content], key: str) -> dict[str, NewUse]:
    """What an entry is opened for now -> the change of purpose that it came with or after. What was there first: none.

    A reason serves the purpose that its entry had when it came, so one that is added later waits for the same yes.
    """
    found: dict[str, NewUse] = {}
    use, before = None, None
    for version, entry in enumerate((content["entry"].get(key) for content in line), 1):
        if entry is None:
            continue
        if before is not None and entry["purpose"] != before["purpose"]:
            use = NewUse(key, version, before["purpose"], entry["purpose"])
        if use is not None and before is not None:
            found |= dict.fromkeys(set(entry["opened_for"]) - set(before["opened_for"]), use)
        before = entry
    now = set(line[-1]["entry"][key]["opened_for"]) - ONES_OWN
    return {reason: use for reason, use in found.items() if reason in now}


def _asks_of(use: NewUse) -> str:
    return (
        f"Before version {use.version} of the policy we held this {in_words(use.before)}. We would also use it "
        f"{in_words(use.purpose)}; unless you say yes, it is not."
    )


def _last_change(meanings: Sequence[Any]) -> int:
    """The number, from 1, of the last version whose meaning is not that of the version before."""
    number = len(meanings)
    while number > 1 and meanings[number - 1] == meanings[number - 2]:
        number -= 1
    return number
