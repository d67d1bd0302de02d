# ruff: noqa: E501, ISC004  sample texts are lines of prose
"""The gallery's story, which a test may set up: its turns, what was sent, and what goes wrong."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from mindstage.ui import prose

STORY = uuid.UUID(int=7)
WORDS = (
    "The flame considers this, the way a clerk considers a coin from a country that has changed its name. "
    "Then it bows, and *one by one* the lamps bow with it.\n\nSomewhere a shutter closes."
)


@dataclass(frozen=True)
class TurnView:
    id: uuid.UUID
    position: int
    kind: str
    speaker: str
    text: str
    state: str = "finished"
    problem: str = ""
    variant_number: int = 1
    variant_count: int = 1
    variant_ids: tuple[uuid.UUID | None, uuid.UUID | None] = (None, None)
    is_last: bool = False
    edited: bool = False

    @property
    def html(self) -> str:
        return prose.render(prose.spoken(self.text) if self.kind == "say" else self.text)

    @property
    def mine(self) -> bool:
        return self.kind in ("do", "say", "story", "ooc")


@dataclass
class Stage:
    """What the gallery's story holds; a test may set it up."""

    turns: list[TurnView] = field(default_factory=list)
    drafts: list[dict[str, str]] = field(default_factory=list)
    draft_gate: threading.Event | None = None
    draft_refusals: list[tuple[int, str]] = field(default_factory=list)
    takes: list[dict[str, Any]] = field(default_factory=list)
    words: str = WORDS
    pace: float = 0.02
    refusal: tuple[int, str] | None = None
    cut_after: int | None = None
    ending: str = "finished"
    running: dict[str, Any] | None = None
    stopped: bool = False
    drops: int = 0
    cut_resumed: bool = False
    person: bool = True
    nothing: bool = False

    def reset(self, count: int = 6) -> None:
        self.__init__()  # type: ignore[misc]
        lines = [
            (
                "opening",
                "",
                "By the last bell the canal has drawn down to its ribs. Steps nobody has stood on since "
                "spring come up green and shining out of the water, and with them the smell of iron, and old bread, and "
                "something that might once have been roses.\n\nOswin sets the ladder against the ninth post. Then he does "
                "a thing he has not done at the others. He takes off his hat.",
            ),
            ("say", "Nora", "And is it like the rest?"),
            (
                "reply",
                "Oswin Tarn",
                "“The ninth lamp has never gone out. We light the others so that nobody counts.”\n\n"
                "On the far bank a shutter opens a hand’s width, and stays that way. See [the map](https://maps.example/v).",
            ),
            ("do", "Nora", "I climb to the top of the ladder and hold my hand close to the glass."),
            (
                "reply",
                "",
                "The glass is cold. It should not be; there is a fire behind it. You lean closer, and the "
                "flame leans too, with great courtesy, until there is no more than a breath between you.",
            ),
            ("ooc", "", "Could we keep Pim out of danger tonight?"),
        ]
        for position in range(count):
            kind, speaker, text = lines[position % 6 if position else 0]
            if position and kind == "opening":
                kind = "reply"
            self.turns.append(TurnView(uuid.uuid4(), position, kind, speaker, text))


stage = Stage()
