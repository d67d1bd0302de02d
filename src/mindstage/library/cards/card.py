"""A character card as the rest of the program sees it: plain, frozen, without a trace of where it came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Spec = Literal["v1", "v2", "v3", "pygmalion"]


@dataclass(frozen=True, slots=True)
class CardLore:
    """One entry of a card's lorebook. A lower `order` stands earlier in the prompt.

    `use_regex` says that the keys are patterns, not words: whoever matches plain words leaves such an entry alone.
    """

    name: str = field(default="", repr=False)
    keys: tuple[str, ...] = field(default=(), repr=False)
    content: str = field(default="", repr=False)
    secondary_keys: tuple[str, ...] = field(default=(), repr=False)
    selective: bool = False
    constant: bool = False
    case_sensitive: bool = False
    order: int = 100
    enabled: bool = True
    use_regex: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A character card, read and checked. Its `repr` shows no text, so that a log line cannot either.

    `greetings` are `first_mes` and then the alternates, blank ones left out. `raw` is the whole JSON object as it came,
    with every field that is unknown here: what a lossless export needs. `picture` are the bytes of the PNG that carried
    the card, untouched and not yet trusted (None for a JSON file). `notices` report to the person, one sentence each.
    """

    spec: Spec
    name: str = field(repr=False)
    nickname: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    personality: str = field(default="", repr=False)
    scenario: str = field(default="", repr=False)
    greetings: tuple[str, ...] = field(default=(), repr=False)
    group_greetings: tuple[str, ...] = field(default=(), repr=False)
    example_dialogue: str = field(default="", repr=False)
    system_prompt: str = field(default="", repr=False)
    post_history_instructions: str = field(default="", repr=False)
    creator: str = field(default="", repr=False)
    creator_notes: str = field(default="", repr=False)
    translated_notes: dict[str, str] = field(default_factory=dict, repr=False)
    character_version: str = field(default="", repr=False)
    tags: tuple[str, ...] = field(default=(), repr=False)
    lore: tuple[CardLore, ...] = field(default=(), repr=False)
    extensions: dict[str, Any] = field(default_factory=dict, repr=False)
    raw: dict[str, Any] = field(default_factory=dict, repr=False)
    notices: tuple[str, ...] = field(default=(), repr=False)
    picture: bytes | None = field(default=None, repr=False)

    def notes_for(self, languages: Iterable[str]) -> str:
        """The notes in the first of these languages ("de-AT") that has any; the plain ones count as English."""
        notes = {"en": self.creator_notes} | self.translated_notes
        spoken = (notes.get(language.partition("-")[0].lower(), "") for language in languages)
        return next(filter(None, (*spoken, self.creator_notes, *notes.values())), "")
