"""The machine's own account of what changed between two versions of the policy, computed from the frozen maps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from mindstage.datamap.content import KINDS, Content

NEEDS_NOTICE: Final = ("purpose", "basis", "recipients", "opened_for", "consent", "asks")
"""Keys of which a change means another use than the one people agreed to."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was. `of` is kind:id; `key` is empty when the whole thing came or went."""

    of: str
    how: Literal["added", "removed", "changed"]
    title: str
    key: str = ""
    before: Any = None
    after: Any = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(old: Content, new: Content) -> list[Difference]:
    """Everything in which two versions differ, in the order of the map."""
    return [found for kind in KINDS for found in _compare_kind(kind, old.get(kind, {}), new.get(kind, {}))]


def changed_things(differences: Iterable[Difference]) -> list[str]:
    """The things that differ, each once: "entry:email"."""
    return list(dict.fromkeys(difference.of for difference in differences))


def changed_purposes(differences: Iterable[Difference]) -> list[Difference]:
    """The differences that put data that is already here to another use."""
    return [found for found in differences if found.how == "changed" and found.key in NEEDS_NOTICE]


def _compare_kind(kind: str, old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> Iterator[Difference]:
    for name, item in new.items():
        of, title = f"{kind}:{name}", str(item["title"])
        if name not in old:
            yield Difference(of, "added", title)
            continue
        before = old[name]
        for key in dict.fromkeys([*before, *item]):
            if before.get(key) != item.get(key):
                yield Difference(of, "changed", title, key, before.get(key), item.get(key))
    for name, item in old.items():
        if name not in new:
            yield Difference(f"{kind}:{name}", "removed", str(item["title"]))
