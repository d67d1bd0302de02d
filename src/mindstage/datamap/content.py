"""The map and the prose of the policy as plain values: what is served, frozen in a release, and compared."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Final

from mindstage.datamap.reading import DataMap, data_map

type Part = dict[str, Any]
type Content = dict[str, dict[str, Part]]
"""Kind ("entry", "store", "door", "consent", "section") -> id -> what is said of it."""

PROSE: Final = Path(__file__).with_name("policy.toml")
KINDS: Final = ("entry", "store", "door", "consent", "section")
ONES_OWN: Final = frozenset({"sign_in", "show", "export", "verify"})
"""What never waits for a yes: whoever says no still gets in, sees what is held, takes it along, and is erased."""


def to_content(declared: DataMap, prose: Content) -> Content:
    """A map and its prose as JSON values. Lists whose order means nothing are sorted."""
    kinds: dict[str, Mapping[str, Any]] = {
        "entry": declared.entries,
        "store": declared.stores,
        "door": declared.doors,
        "consent": declared.consents,
    }
    of_map = {kind: {key: _plain(asdict(item)) for key, item in items.items()} for kind, items in kinds.items()}
    return {**of_map, **prose}


def read_prose(text: str) -> Content:
    """The fixed words of the policy: {"section": {id: {number, title, text, part}}}."""
    sections = tomllib.loads(text)["section"]
    return {"section": {section["id"]: section for section in sections}}


@cache
def present() -> Content:
    """What this program does and says now, released or not. Raises MapFault."""
    return to_content(data_map(), read_prose(PROSE.read_text()))


@cache
def words() -> dict[str, str]:
    """Terms of the vocabularies -> plain words."""
    found: dict[str, str] = tomllib.loads(PROSE.read_text())["words"]
    return found


def in_words(term: str) -> str:
    """A term in plain words. One that nobody has put into words yet is taken apart: dpv:AgeCheck -> age check."""
    if term in words():
        return words()[term]
    name = term.rpartition(":")[2].rpartition(".")[2].replace("_", " ")
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return " ".join(spaced.lower().split())


def _plain(item: Part) -> Part:
    return {key: _plain_value(value) for key, value in item.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, frozenset | tuple):
        return sorted(value)
    return value
