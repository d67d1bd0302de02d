"""The stage of a story: what its narrator knows before the first turn. Kept as sealed JSON in `Story.stage`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

from mindstage.kit import canonical
from mindstage.prompts.inputs import CastMember, LoreEntry, from_rows

STAGE_BYTES: Final = 3_000_000
"""A card may hold 2 MB of text; what a form adds to it at once is less than one."""


@dataclass(frozen=True, slots=True)
class Role:
    """One of the cast as the page shows it: a name, and one line about who that is."""

    name: str
    line: str


@dataclass(frozen=True, slots=True)
class Stage:
    """`source`: what the story was begun from (`starter:SLUG`, `character:UUID`). `persona`: whom the author plays;
    `about`: who that is, in the author's own words.
    """

    persona: str
    premise: str
    cast: tuple[CastMember, ...]
    roles: tuple[Role, ...]
    lore: tuple[LoreEntry, ...]
    byline: str = ""
    source: str = ""
    about: str = ""

    def to_bytes(self) -> bytes:
        return canonical.to_bytes(asdict(self))

    @classmethod
    def from_bytes(cls, content: bytes) -> Stage:
        """The inverse of `to_bytes`. Fields that a newer program wrote are passed over."""
        raw = json.loads(content)
        return cls(
            persona=raw["persona"],
            premise=raw["premise"],
            cast=from_rows(CastMember, raw["cast"]),
            roles=from_rows(Role, raw["roles"]),
            lore=from_rows(LoreEntry, raw["lore"]),
            byline=raw.get("byline", ""),
            source=raw.get("source", ""),
            about=raw.get("about", ""),
        )

    @property
    def speaker(self) -> str:
        """Who answers: the one character of a card's story, or nobody in particular."""
        return (
            self.cast[0].nickname or self.cast[0].name if len(self.cast) == 1 and self.source[:9] == "character" else ""
        )
