"""Small stories to assemble, and counters that are cheap to reason about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mindstage.prompts.dialects import CHAT
from mindstage.prompts.inputs import CastMember, LoreEntry, PastTurn, PromptInputs

ILSE = CastMember(
    name="Ilse Varga",
    nickname="Ilse",
    description=(
        "Ilse Varga is captain of the airship Cinder Wren and a smuggler. She is dry, watchful and kind. "
        "She owes the Guild a great deal of money. Her grey coat has eleven pockets, and {{user}} has seen into none."
    ),
    personality="Patient, ironic, slow to trust.",
    example_dialogue=(
        '<START>\n{{user}}: Is it safe?\n{{char}}: "Safe? It is cheap."\n'
        '<START>\n{{user}}: Who made this map?\n{{char}}: "Somebody who never came back to correct it."'
    ),
)
TUPPENCE = CastMember(name="Tuppence", description="A grey parrot that repeats what it should not.")
GUILD = LoreEntry(name="The Guild", keys=("guild", "sealed letter"), content="The Guild taxes every crate that flies.")
EMBER = LoreEntry(name="Port Ember", keys=("Ember",), content="Port Ember burns all night.", order=50)
SKY = LoreEntry(name="The sky", keys=(), content="Nobody has seen the ground in a century.", constant=True)

OPENING = PastTurn(0, "opening", "Ilse", "The mooring rope groans. Ilse looks up from her ledger.")
LETTER = PastTurn(1, "do", "Mira", "I lay a sealed letter on the crate between us.")
ANSWER = PastTurn(2, "reply", "Ilse", '"That is the Guild\'s wax," Ilse says, and does not touch it.')
PASSAGE = PastTurn(3, "say", "Mira", "I need passage to Port Ember.")


def inputs(**changes: Any) -> PromptInputs:
    """Ilse's story, four turns old, with some of it changed."""
    given: dict[str, Any] = {
        "persona": "Mira",
        "premise": "Rain over the moorings. {{user}} must leave the city before dawn.",
        "cast": (ILSE, TUPPENCE),
        "lore": (GUILD, EMBER, SKY),
        "turns": (OPENING, LETTER, ANSWER, PASSAGE),
        "dialect": CHAT,
        "seed": "0190-story",
        "now": datetime(2026, 11, 24, 15, 4, tzinfo=UTC),
    }
    return PromptInputs(**(given | changes))


def words(text: str) -> int:
    return len(text.split())


def story(length: int, *, words_a_turn: int = 20, first: int = 0) -> tuple[PastTurn, ...]:
    """An opening, then the person and the narrator in turn."""
    return tuple(
        PastTurn(
            at, "opening" if at == 0 else "do" if at % 2 else "reply", "x", f"turn {at} " + "word " * (words_a_turn - 2)
        )
        for at in range(first, first + length)
    )
