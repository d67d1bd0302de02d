"""How past turns are told to a model, and how many of them."""

from __future__ import annotations

from collections.abc import Sequence

from mindstage.prompts.inputs import Message, PastTurn, Role

BLOCK = 8
NAMELESS = "You"
"""Who plays under no name. Never the handle: it names the account, and a prompt may go to somebody else's machine."""

# Words of ours before a first reply, or between two: some servers want the two roles to alternate. The first are the
# same wherever the telling begins, so that turns which leave take nothing with them that another text has to replace.
TELL = "Tell the story."
GO_ON = "Go on with the story."
RESUME = "Go on with the story from the exact place where your last message breaks off. Do not repeat any of it."


def told(turn: PastTurn, *, persona: str) -> str:
    """One turn as the model reads it. Nothing in it is expanded: a person or a model wrote it.

    What a person does and says is told like a script, `Mira: ...`, which fits any grammatical person and costs two
    tokens; speech stands in quotation marks. Narration stands alone; a word out of character is a note in brackets.
    """
    text, persona = turn.text.strip(), persona or NAMELESS
    if turn.kind == "ooc":
        return f"[Note from the author: {text}]"
    if turn.kind == "say":
        return f"{persona}: {text if _has_quotes(text) else f'"{text}"'}"
    if turn.kind == "do" and not text.startswith(persona):
        return f"{persona}: {text}"
    return text


def _has_quotes(text: str) -> bool:
    return any(mark in text for mark in '"“”«»„')


def first_kept(positions: Sequence[int], costs: Sequence[int], *, room: int, whole: bool) -> int:
    """The index of the oldest turn to tell; `len(costs)` if not even the newest fits in `room` tokens.

    A server's prompt cache lives on a beginning that does not move, so old turns leave in blocks. Among the starts that
    fill between half of the room and all of it, the one at the roundest position wins (a multiple of 8 before one of 4,
    2, 1), the older of two alike. As turns are added that range only moves forward, and so does its roundest position;
    it stands still until it falls out of the range. Nothing is remembered between turns. `whole`: the turns begin with
    the story's first, which may stay where it stands.
    """
    oldest, half = _range(costs, room)
    if not whole and len(costs) >= 2 * BLOCK:
        # The window slides by a turn a turn. Its first round position does not.
        oldest = max(oldest, _first_round(positions))
    if oldest == len(costs) or (oldest == 0 and whole):
        return oldest
    latest = max(oldest, min(half, oldest + BLOCK - 1))
    return max(range(oldest, latest + 1), key=lambda index: (_roundness(positions[index]), -index))


def _range(costs: Sequence[int], room: int) -> tuple[int, int]:
    """The oldest start that fits, and the newest that still fills half of the room (-1 if none does)."""
    oldest, half, total = len(costs), -1, 0
    for index in range(len(costs) - 1, -1, -1):
        total += costs[index]
        if total > room:
            break
        oldest = index
        if half < 0 and total * 2 >= room:
            half = index
    return oldest, half


def _first_round(positions: Sequence[int]) -> int:
    return next((index for index, position in enumerate(positions) if position % BLOCK == 0), 0)


def _roundness(position: int) -> int:
    return min(position & -position, BLOCK) if position else BLOCK


class Exchange:
    """Messages under construction, person and narrator in turn."""

    def __init__(self, *, system: str) -> None:
        self.messages = [Message(Role.SYSTEM, system)] if system else []

    def add(self, role: Role, text: str) -> None:
        """Append. The person's words in a row become one message; between two replies the person says "go on"."""
        last = self.messages[-1].role if self.messages else Role.SYSTEM
        if role is Role.PERSON and last is Role.PERSON:
            self.messages[-1] = Message(role, f"{self.messages[-1].content}\n\n{text}")
            return
        if role is Role.NARRATOR and last is not Role.PERSON:
            self.messages.append(Message(Role.PERSON, GO_ON if last is Role.NARRATOR else TELL))
        self.messages.append(Message(role, text))

    def settled(self) -> int:
        """How many messages further turns leave as they are. Words of the person may still be joined by more."""
        ends_open = bool(self.messages) and self.messages[-1].role is Role.PERSON
        return len(self.messages) - ends_open
