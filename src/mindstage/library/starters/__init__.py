"""The scenarios that every copy of the program brings along. Written for it; the words stand in the TOML files here.

A file is checked when it is first read, so a slip in one is found by the first test and not by a reader.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

Rating = Literal["everyone", "teen"]

# The order on the shelf: two quiet ones do not stand side by side.
_SHELF = (
    "a-bell-for-nobody",
    "dead-cable",
    "quartet-for-three",
    "the-retoucher",
    "the-goat-in-the-chair",
    "vinegar-and-smoke",
)


@dataclass(frozen=True, slots=True)
class StarterOpening:
    """A first page: plain Markdown that ends where the player has to choose. `title` tells two openings apart."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class StarterCast:
    """A character that the narrator plays. `role` is the line of the cast panel; the rest is for the prompt."""

    name: str
    role: str
    description: str
    personality: str
    example_dialogue: str


@dataclass(frozen=True, slots=True)
class StarterLore:
    """A fact that joins the prompt when one of `keys` occurs, or always (`constant`); lower `order` comes earlier."""

    name: str
    keys: tuple[str, ...]
    content: str
    order: int
    constant: bool


@dataclass(frozen=True, slots=True)
class Starter:
    """A scenario to begin with. `premise` and `openings` say "you" to the player; `persona_hint` says who that is.

    What `cast` describes and `lore` tells is for the narrator: shown before the story, it would give the story away.
    """

    slug: str
    title: str
    genre: str
    rating: Rating
    tagline: str
    premise: str
    persona_hint: str
    openings: tuple[StarterOpening, ...]
    cast: tuple[StarterCast, ...]
    lore: tuple[StarterLore, ...]


def starter(slug: str) -> Starter:
    """The starter with that slug. Raises KeyError when there is none."""
    return _by_slug()[slug]


def starters() -> tuple[Starter, ...]:
    """All starters, in the order of the shelf."""
    return tuple(_by_slug().values())


@cache
def _by_slug() -> dict[str, Starter]:
    return {slug: _read(slug) for slug in _SHELF}


def _read(slug: str) -> Starter:
    """The starter in `<slug>.toml`. Raises ValueError when something in it is missing, blank or of the wrong type."""
    values = tomllib.loads(resources.files(__package__).joinpath(f"{slug}.toml").read_text(encoding="utf-8"))
    found = Starter(
        slug=_text(values, "slug"),
        title=_text(values, "title"),
        genre=_text(values, "genre"),
        rating=_rating(values),
        tagline=_text(values, "tagline"),
        premise=_text(values, "premise"),
        persona_hint=_text(values, "persona_hint"),
        openings=tuple(_opening(part) for part in _parts(values, "opening", most=2)),
        cast=tuple(_member(part) for part in _parts(values, "cast", most=3)),
        lore=tuple(_entry(part) for part in _parts(values, "lore", most=7)),
    )
    if found.slug != slug:
        raise ValueError(f"{slug}.toml calls itself by another slug")
    return found


def _opening(part: dict[str, Any]) -> StarterOpening:
    return StarterOpening(title=_text(part, "title"), text=_text(part, "text"))


def _member(part: dict[str, Any]) -> StarterCast:
    return StarterCast(
        name=_text(part, "name"),
        role=_text(part, "role"),
        description=_text(part, "description"),
        personality=_text(part, "personality"),
        example_dialogue=_text(part, "example_dialogue"),
    )


def _entry(part: dict[str, Any]) -> StarterLore:
    keys, order, constant = part.get("keys"), part.get("order"), part.get("constant", False)
    if not isinstance(keys, list) or len(keys) < 2 or not all(isinstance(key, str) and key.strip() for key in keys):
        raise ValueError("a starter’s lore entry needs at least two keys")
    if not isinstance(order, int) or not isinstance(constant, bool):
        raise ValueError("a starter’s lore entry needs a whole number as order, and constant is true or false")
    return StarterLore(
        name=_text(part, "name"), keys=tuple(keys), content=_text(part, "content"), order=order, constant=constant
    )


def _text(values: dict[str, Any], field: str) -> str:
    value = values.get(field)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"a starter’s “{field}” is missing or blank")
    return value.strip()


def _rating(values: dict[str, Any]) -> Rating:
    match values.get("rating"):
        case "everyone":
            return "everyone"
        case "teen":
            return "teen"
    raise ValueError("a starter’s “rating” is everyone or teen")


def _parts(values: dict[str, Any], field: str, *, most: int) -> list[dict[str, Any]]:
    parts = values.get(field)
    if not isinstance(parts, list) or not 1 <= len(parts) <= most or not all(isinstance(part, dict) for part in parts):
        raise ValueError(f"a starter has 1 to {most} tables “{field}”")
    return parts
