"""What a prompt is made of. Plain frozen values: whoever assembles twice from equal inputs gets equal prompts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """Who speaks a message, by the names that chat servers use."""

    SYSTEM = "system"
    PERSON = "user"
    NARRATOR = "assistant"


@dataclass(frozen=True, slots=True)
class CastMember:
    """One role that the narrator plays; the fields are a character card's. Macros in them are not yet expanded."""

    name: str
    nickname: str = ""
    description: str = ""
    personality: str = ""
    scenario: str = ""
    example_dialogue: str = ""
    system_prompt: str = ""
    post_history_instructions: str = ""
    depth_prompt: str = ""
    version: str = ""
    greetings: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """What `{{char}}` stands for: the nickname goes first (Character Card V3)."""
        return self.nickname or self.name


@dataclass(frozen=True, slots=True)
class LoreEntry:
    """A fact that enters a prompt always (`constant`) or when one of its keys occurs. Lower `order` stands earlier."""

    name: str
    keys: tuple[str, ...]
    content: str
    constant: bool = False
    case_sensitive: bool = False
    order: int = 100
    enabled: bool = True
    secondary_keys: tuple[str, ...] = ()
    selective: bool = False


def from_rows[T](kind: type[T], rows: Iterable[dict[str, Any]]) -> tuple[T, ...]:
    """Members of a cast or entries of lore out of JSON objects. Fields that a newer program wrote are passed over."""
    known = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return tuple(
        kind(
            **{name: tuple(value) if isinstance(value, list) else value for name, value in row.items() if name in known}
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class PastTurn:
    """One turn of the story's path. `kind`: opening, do, say, story, ooc or reply. The text is never expanded.

    `written`: when these words came into the story, where that is known.
    """

    position: int
    kind: str
    speaker: str
    text: str
    written: datetime | None = None

    @property
    def by_person(self) -> bool:
        return self.kind not in ("opening", "reply")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one family of models likes to be asked; see `dialects`. Shares are percents of the context.

    In `instructions` the cast's names replace `{names}`. `recall` and `closing` are how keyed lore and the closing
    instructions stand around the newest words. `prefills`: the model goes on inside a reply that it is given.
    """

    name: str
    instructions: str
    reminder: str = ""
    recall: str = "[Keep in mind:\n{}]"
    closing: str = "[{}]"
    prefills: bool = False
    headings: bool = True
    max_card_words: int | None = None
    lore_share: int = 25
    keyed_share: int = 25
    examples_share: int = 25
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptInputs:
    """Everything one prompt needs.

    `about`: who the author plays, in their own words; macros in it are not yet expanded.
    `turns`: oldest first, a window of the path; the last one is what is to be answered. `turns_before`: how many older
    turns the path has. `seed`: the story's id, or `<id>:<anything>`; `{{pick}}` uses what stands before the colon, so
    that it stays the same from turn to turn. `now`: in the instance's time zone, for macros that tell it; a person's
    own zone is not known. `continue_from`: a reply to go on with; it is not among `turns`. `model`: the name of the
    narrator's model, for macros.
    """

    persona: str
    premise: str
    cast: tuple[CastMember, ...]
    lore: tuple[LoreEntry, ...]
    turns: tuple[PastTurn, ...]
    dialect: Dialect
    seed: str
    now: datetime
    scan_depth: int = 4
    continue_from: str = ""
    turns_before: int = 0
    model: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens: the whole context, and the part of it that is kept free for the reply."""

    context: int
    reply: int

    def __post_init__(self) -> None:
        if self.reply < 0 or self.room < SMALLEST_ROOM:
            raise ValueError(f"a prompt needs at least {SMALLEST_ROOM} tokens besides the reply")

    @property
    def room(self) -> int:
        """What the prompt itself may fill."""
        return self.context - self.reply


SMALLEST_ROOM = 64


@dataclass(frozen=True, slots=True)
class Overheads:
    """Tokens that messages cost besides their texts, by who speaks, and the head of the reply that is yet to come.

    The defaults are what chat servers are commonly billed at, when nobody says better.
    """

    system: int = 4
    person: int = 4
    narrator: int = 4
    reply: int = 0

    @property
    def most(self) -> int:
        """What any message costs at most: the budget is kept by this."""
        return max(self.system, self.person, self.narrator)

    def of(self, role: Role) -> int:
        """What a message of this role costs: the context meter adds up by this."""
        return {Role.SYSTEM: self.system, Role.PERSON: self.person, Role.NARRATOR: self.narrator}[role]


@dataclass(frozen=True, slots=True)
class Message:
    """One item of what a provider is sent."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Part:
    """One bar of the context meter."""

    id: str
    title: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """A finished prompt and what went into it.

    `parts` add up to `Budget.context`, unless there are none; `free` holds the reply's reserve. `prefill`: when not
    empty, the last message is the narrator's, holds exactly this text, and the model must go on inside it. `stable`: so
    many leading messages come back unchanged in the next turn's prompt unless a block of old turns drops; a warm-up
    needs no more than these. `dropped`: turns of the path that are not in the prompt. `notes`: what was cut, for
    people.
    """

    messages: tuple[Message, ...]
    parts: tuple[Part, ...]
    first_position: int
    dropped: int
    lore_fired: tuple[tuple[str, str], ...]
    prefill: str
    stop: tuple[str, ...]
    stable: int = 0
    notes: tuple[str, ...] = ()
