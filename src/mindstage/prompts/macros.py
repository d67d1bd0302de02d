"""Macros of character cards and lorebooks: `{{char}}`, `{{random:a,b}}`, `{{roll:2d6}}` and their kin.

Only text of authors (cards, scenarios, lore, greetings) is expanded. What a person or a model wrote in a story is never
read for macros: values are put in as they are and not read again.

One pass over the text with a stack of open macros, so the work grows with the length of the text and of what is put in.
Four bounds keep it so: a nesting deeper than `DEEPEST` stays as text, what macros put into one text ends at
`MOST_INSERTED` characters and into all texts of one context at `MOST_IN_ALL`, and dice come at most `MOST_DICE` at a
time.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from mindstage.prompts.inputs import CastMember, PastTurn, PromptInputs

DEEPEST = 24
MOST_INSERTED = 200_000
MOST_IN_ALL = 1_000_000
MOST_DICE = 100

TOKEN = re.compile(r"\\\{\\\{|\\\}\\\}|\{\{+|\}\}|<(?:bot|char|user)>", re.IGNORECASE)
NAME = re.compile(r"\s*(//|[A-Za-z_]+)")
DICE = re.compile(r"(\d{0,3})d(\d{1,6})([+-]\d{1,6})?", re.IGNORECASE)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June",
          "July", "August", "September", "October", "November", "December")  # fmt: skip


@dataclass(slots=True)
class Shared:
    """What all texts of one context share: the characters that macros may still put in, and fields already expanded."""

    spare: int = MOST_IN_ALL
    fields: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class MacroContext:
    """What macros can see. `member`: whose card the text is from (None: the first of the cast)."""

    persona: str
    cast: tuple[CastMember, ...]
    seed: str
    now: datetime
    member: CastMember | None = None
    premise: str = ""
    turns: tuple[PastTurn, ...] = ()
    original: str = ""
    inner: bool = field(default=False, repr=False)
    shared: Shared = field(default_factory=Shared, repr=False, compare=False)

    @property
    def speaking(self) -> CastMember:
        return self.member or (self.cast[0] if self.cast else CastMember(name="Narrator"))


def context_of(inputs: PromptInputs, *, member: CastMember | None = None, original: str = "") -> MacroContext:
    """What the macros of these inputs see; `member` says whose card is read."""
    return MacroContext(
        persona=inputs.persona,
        cast=inputs.cast,
        seed=inputs.seed,
        now=inputs.now,
        member=member,
        premise=inputs.premise,
        turns=inputs.turns,
        original=original,
    )


def expand(text: str, context: MacroContext) -> str:
    """The text with its macros replaced. Unknown ones stay as they are; it never raises, whatever the text."""
    if "{" not in text and "<" not in text:
        return text
    return _Expansion(text, context).run()


class _Expansion:
    """One pass over one text. `frames[0]` is the result, each further frame an open macro's inside."""

    def __init__(self, text: str, context: MacroContext) -> None:
        self.text = text
        self.context = context
        self.frames: list[list[str]] = [[]]
        self.too_deep = 0
        self.spare = MOST_INSERTED
        self.trimming = False
        self.original_used = False
        self.offset = 0
        self._source: random.Random | None = None
        self._digest = b""

    def run(self) -> str:
        end = 0
        for match in TOKEN.finditer(self.text):
            self.put(self.text[end : match.start()])
            self.offset, end = match.start(), match.end()
            self.read(match.group())
        self.put(self.text[end:])
        while len(self.frames) > 1:
            inside = self.frames.pop()
            self.frames[-1] += ["{{", *inside]
        return "".join(self.frames[0])

    def read(self, token: str) -> None:
        if token[0] == "\\":
            self.put(token.replace("\\", ""))
        elif token[0] == "<":
            self.insert(self.context.persona if token.lower() == "<user>" else self.context.speaking.called)
        elif token[0] == "{":
            self.open(len(token))
        else:
            self.close()

    def open(self, braces: int) -> None:
        # Of an odd run the first brace is text: "{{{char}}}" is a name in braces.
        if braces % 2:
            self.put("{")
        for _ in range(braces // 2):
            if len(self.frames) > DEEPEST:
                self.too_deep += 1
                self.put("{{")
            else:
                self.frames.append([])

    def close(self) -> None:
        if self.too_deep:
            self.too_deep -= 1
            self.put("}}")
        elif len(self.frames) == 1:
            self.put("}}")
        else:
            inside = "".join(self.frames.pop())
            value = self.value_of(inside)
            if value is None:
                self.frames[-1] += ["{{", inside, "}}"]
            else:
                self.insert(value)

    def put(self, text: str) -> None:
        if self.trimming:
            text = text.lstrip("\r\n")
            self.trimming = not text
        if text:
            self.frames[-1].append(text)

    def insert(self, value: str) -> None:
        shared = self.context.shared
        self.spare -= len(value)
        shared.spare -= len(value)
        if self.spare >= 0 and shared.spare >= 0:
            self.put(value)

    def trim(self) -> str:
        """Forget the line breaks around this place. Popping, not joining, so that many trims stay linear."""
        frame = self.frames[-1]
        while frame:
            if kept := frame.pop().rstrip("\r\n"):
                frame.append(kept)
                break
        self.trimming = True
        return ""

    @property
    def digest(self) -> bytes:
        """Stands for the text in seeds: many picks in a long text must not each read all of it."""
        self._digest = self._digest or hashlib.blake2b(_bytes(self.text)).digest()
        return self._digest

    @property
    def source(self) -> random.Random:
        """One seeded source per text and turn: the same turn built again is the same, byte for byte."""
        if self._source is None:
            turns = self.context.turns
            self._source = _source(self.context.seed, str(turns[-1].position if turns else 0), self.digest)
        return self._source

    def value_of(self, inside: str) -> str | None:
        """The value of a macro, or None when there is none of that name."""
        match = NAME.match(inside)
        if match is None:
            return None
        name, rest = match.group(1).lower(), inside[match.end() :]
        if name in REMOVED:
            return ""
        if not rest.strip():
            plain = PLAIN.get(name)
            return plain(self) if plain else None
        taking = TAKING.get(name)
        if taking is None or not (rest[0] == ":" or rest[0].isspace()):
            return None
        return taking(self, rest[2:] if rest.startswith("::") else rest[1:])

    def card(self, text: str) -> str:
        """A card's field inside another text. One level deep: a field that names itself must come to an end."""
        if self.context.inner:
            return ""
        known = self.context.shared.fields
        if text not in known:
            known[text] = expand(text, replace(self.context, inner=True, original=""))
        return known[text]

    def original(self) -> str:
        # Once a field, as the card format says: a second one would double the instructions.
        used, self.original_used = self.original_used, True
        return "" if used else self.context.original

    def last(self, wanted: Callable[[PastTurn], bool]) -> str:
        return next((turn.text for turn in reversed(self.context.turns) if wanted(turn)), "")

    def roll(self, dice: str) -> str:
        dice = dice.strip()
        match = DICE.fullmatch(f"1d{dice}" if dice.isdecimal() else dice.replace(" ", ""))
        if match is None:
            return ""
        times, sides, more = int(match[1] or 1), int(match[2]), int(match[3] or 0)
        if not 0 < times <= MOST_DICE or not sides:
            return ""
        return str(sum(self.source.randint(1, sides) for _ in range(times)) + more)

    def pick(self, listed: str) -> str:
        story = self.context.seed.partition(":")[0]
        return _source(story, str(self.offset), self.digest).choice(_options(listed))


def _source(seed: str, place: str, digest: bytes) -> random.Random:
    return random.Random(_bytes(f"{seed}\0{place}\0") + digest)  # noqa: S311 - nothing secret hangs on it


def _bytes(text: str) -> bytes:
    # A card may hold lone surrogates.
    return text.encode("utf-8", "surrogatepass")


def _options(listed: str) -> list[str]:
    """The choices of a list by `::` or by commas, in which `\\,` is a comma."""
    if "::" in listed:
        return [option.strip() for option in listed.split("::")]
    return [option.replace("\0", ",").strip() for option in listed.replace("\\,", "\0").split(",")]


def _clock(now: datetime) -> str:
    return f"{(now.hour + 11) % 12 + 1}:{now.minute:02} {'PM' if now.hour >= 12 else 'AM'}"


def _repeated(character: str) -> Callable[[_Expansion, str], str]:
    return lambda _, times: character * int(times) if re.fullmatch(r"\s*\d{1,2}\s*", times) else character


REMOVED = frozenset({"//", "comment", "hidden_key", "noop"})
PLAIN: dict[str, Callable[[_Expansion], str]] = {
    "char": lambda at: at.context.speaking.called,
    "user": lambda at: at.context.persona,
    "persona": lambda at: at.context.persona,
    "group": lambda at: ", ".join(member.called for member in at.context.cast),
    "groupnotmuted": lambda at: ", ".join(member.called for member in at.context.cast),
    "charifnotgroup": lambda at: at.context.speaking.called if len(at.context.cast) < 2 else "",
    "description": lambda at: at.card(at.context.speaking.description),
    "personality": lambda at: at.card(at.context.speaking.personality),
    "scenario": lambda at: at.card(at.context.speaking.scenario or at.context.premise),
    "mesexamples": lambda at: at.card(at.context.speaking.example_dialogue),
    "charprompt": lambda at: at.card(at.context.speaking.system_prompt),
    "charinstruction": lambda at: at.card(at.context.speaking.post_history_instructions),
    "original": lambda at: at.original(),
    "time": lambda at: _clock(at.context.now),
    "date": lambda at: f"{MONTHS[at.context.now.month - 1]} {at.context.now.day}, {at.context.now.year}",
    "weekday": lambda at: WEEKDAYS[at.context.now.weekday()],
    "isotime": lambda at: f"{at.context.now:%H:%M}",
    "isodate": lambda at: at.context.now.date().isoformat(),
    "newline": lambda _: "\n",
    "space": lambda _: " ",
    "trim": lambda at: at.trim(),
    "lastmessage": lambda at: at.last(lambda _: True),
    "lastusermessage": lambda at: at.last(lambda turn: turn.by_person),
    "lastcharmessage": lambda at: at.last(lambda turn: not turn.by_person),
}
TAKING: dict[str, Callable[[_Expansion, str], str]] = {
    "random": lambda at, listed: at.source.choice(_options(listed)),
    "pick": lambda at, listed: at.pick(listed),
    "roll": lambda at, dice: at.roll(dice),
    "reverse": lambda _, text: text[::-1],
    "newline": _repeated("\n"),
    "space": _repeated(" "),
}
