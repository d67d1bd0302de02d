"""What each macro stands for. How texts with macros are read: `macros`; which there are: docs/subsystems/prompts.md.

Values are functions of the context, with two kinds of memory: what one text has drawn and used, and, for the texts of
one prompt together, the variables that they set.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from mindstage.prompts import moments
from mindstage.prompts.inputs import CastMember, PastTurn

MOST_INSERTED = 200_000
MOST_IN_ALL = 1_000_000
MOST_DICE = 100
READING_A_DATE = 100
"""What reading one date costs of the allowance, in characters: it takes about as long as putting in so many."""

NAME = re.compile(r"\s*(//|[.$](?=[A-Za-z])[\w-]+\s*$|[A-Za-z_]+)")
DICE = re.compile(r"(\d{0,3})d(\d{1,6})([+-]\d{1,6})?", re.IGNORECASE)
NUMBER = re.compile(r"\s*[+-]?\d{1,15}(\.\d{1,9})?\s*")
NO = frozenset({"", "false", "0", "off", "no"})
LONGEST_NO = max(map(len, NO))


@dataclass(slots=True)
class Shared:
    """What all texts of one prompt share: the characters that macros may still put in, variables, expanded fields.

    Variables are named `.name` (of the story) and `$name` (global).
    """

    spare: int = MOST_IN_ALL
    variables: dict[str, str] = field(default_factory=dict, repr=False)
    fields: dict[tuple[CastMember, str], str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class MacroContext:
    """What macros can see. `member`: whose card the text is from (None: the first of the cast).

    `room`: tokens of the largest prompt; `model`: the name of the narrator's. Both are empty where nobody narrates yet.
    """

    persona: str
    cast: tuple[CastMember, ...]
    seed: str
    now: datetime
    member: CastMember | None = None
    premise: str = ""
    about: str = ""
    turns: tuple[PastTurn, ...] = ()
    model: str = ""
    room: int | None = None
    original: str = ""
    inner: bool = field(default=False, repr=False)
    shared: Shared = field(default_factory=Shared, repr=False, compare=False)

    @property
    def speaking(self) -> CastMember:
        return self.member or (self.cast[0] if self.cast else CastMember(name="Narrator"))

    def of(self, member: CastMember, *, original: str = "") -> MacroContext:
        """The same prompt's, for a text of this member's card."""
        return replace(self, member=member, original=original)

    def aside(self) -> MacroContext:
        """For texts that may not come into the prompt: what they set and use up is forgotten."""
        return replace(self, shared=Shared(variables=dict(self.shared.variables)))


class Values:
    """The macros of one text. `expand`: how a card's field inside it is expanded."""

    def __init__(self, text: str, context: MacroContext, expand: Callable[[str, MacroContext], str]) -> None:
        self.text = text
        self.context = context
        self.offset = 0
        self._expand = expand
        self._spare = MOST_INSERTED
        self._original_used = False
        self._source: random.Random | None = None
        self._digest = b""

    def of(self, inside: str) -> str | None:
        """The value of a macro by what stands between its braces, or None when there is none of that name."""
        match = NAME.match(inside)
        if match is None:
            return None
        name, rest = match.group(1).lower(), inside[match.end() :]
        if name[0] in ".$":
            return self.variable(match.group(1).strip())
        if name in REMOVED:
            return ""
        if not rest.strip():
            plain = PLAIN.get(name)
            return plain(self) if plain else None
        taking = TAKING.get(name)
        if taking is None or not (rest[0] == ":" or rest[0].isspace()):
            return None
        return taking(self, argument(rest))

    def afford(self, cost: int) -> bool:
        """Take so many characters from what macros may put into this text, and into all of the prompt."""
        self._spare -= cost
        self.context.shared.spare -= cost
        return self._spare >= 0 and self.context.shared.spare >= 0

    def holds(self, condition: str) -> bool:
        """Whether an `{{if}}` holds: of a text, of a variable (`.name`), or of a macro's value by its bare name."""
        condition = condition.strip()
        negated, condition = condition.startswith("!"), condition.removeprefix("!").strip()
        used = self._original_used
        if plain := PLAIN.get(condition.lower()):
            condition = plain(self)
        elif re.fullmatch(r"[.$][A-Za-z][\w-]*", condition):
            condition = self.variable(condition)
        self._original_used = used  # asking whether there is one is not using it
        return (condition.strip()[: LONGEST_NO + 1].lower() not in NO) is not negated

    def chosen(self, listed: str) -> str | None:
        """`{{if}}` in one piece, `condition::text`."""
        condition, both, text = listed.partition("::")
        return (text if self.holds(condition) else "") if both else None

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

    def card(self, text: str) -> str:
        """A card's field inside another text. One level deep: a field that names itself must come to an end."""
        if self.context.inner:
            return ""
        known, key = self.context.shared.fields, (self.context.speaking, text)
        if key not in known:
            known[key] = self._expand(text, replace(self.context, inner=True, original=""))
        return known[key]

    def greeting(self, number: str) -> str:
        greetings = self.context.speaking.greetings
        at = int(number) if re.fullmatch(r"\s*\d{1,4}\s*", number, re.ASCII) else -1
        return self.card(greetings[at]) if 0 <= at < len(greetings) else ""

    def original(self) -> str:
        # Once a field, as the card format says: a second one would double the instructions.
        used, self._original_used = self._original_used, True
        return "" if used else self.context.original

    def not_char(self) -> str:
        others = [member.called for member in self.context.cast if member != self.context.speaking]
        return ", ".join(others) or self.context.persona

    def last(self, wanted: Callable[[PastTurn], bool]) -> str:
        return next((turn.text for turn in reversed(self.context.turns) if wanted(turn)), "")

    def input(self) -> str:
        """What was just sent: the words that are being answered."""
        return self.last(lambda turn: turn is self.context.turns[-1] and turn.by_person)

    def last_id(self) -> str:
        return str(self.context.turns[-1].position) if self.context.turns else ""

    def idle(self) -> str:
        """How long ago the person wrote last, before the words that are being answered."""
        before = [turn for turn in self.context.turns[:-1] if turn.by_person]
        return moments.span(self.context.now - before[-1].written) if before and before[-1].written else "just now"

    def time_between(self, both: str) -> str:
        if not self.afford(READING_A_DATE):
            return ""
        left, _, right = both.partition("::")
        one, other = (moments.read_moment(text, like=self.context.now) for text in (left, right))
        return moments.apart(one - other) if one and other else ""

    def roll(self, dice: str) -> str:
        dice = dice.strip()
        match = DICE.fullmatch(f"1d{dice}" if dice.isdecimal() else dice.replace(" ", ""))
        if match is None:
            return ""
        times, sides, more = int(match[1] or 1), int(match[2]), int(match[3] or 0)
        if not 0 < times <= MOST_DICE or not sides or not self.afford(times):
            return ""
        return str(sum(self.source.randint(1, sides) for _ in range(times)) + more)

    def pick(self, listed: str) -> str:
        story = self.context.seed.partition(":")[0]
        return _source(story, str(self.offset), self.digest).choice(_options(listed))

    def variable(self, name: str) -> str:
        return self.context.shared.variables.get(name, "")

    def set(self, name: str, value: str) -> str:
        """Keep a variable as long as this prompt is made. Its length is paid for: adding to a long one copies it."""
        if self.afford(len(value)):
            self.context.shared.variables[name] = value
        return ""

    def add(self, name: str, value: str) -> str:
        """Numbers are added up, other texts joined."""
        known = self.variable(name)
        both_numbers = NUMBER.fullmatch(known or "0") and NUMBER.fullmatch(value)
        return self.set(name, _written(float(known or 0) + float(value)) if both_numbers else known + value)

    def count(self, name: str, by: int) -> str:
        self.add(name, str(by))
        return self.variable(name)


def argument(rest: str) -> str:
    """What stands behind a macro's name: after `::`, a space, or the older `:`."""
    rest = rest.lstrip()
    return rest.removeprefix("::") if rest.startswith("::") else rest.removeprefix(":")


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


def _written(number: float) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")


def _repeated(character: str) -> Callable[[Values, str], str]:
    return lambda _, times: character * int(times) if re.fullmatch(r"\s*\d{1,2}\s*", times) else character


def _pair(deed: Callable[[Values, str, str], str], kind: str) -> Callable[[Values, str], str]:
    """A deed on a variable, from `name::value`; its name alone means the empty value."""

    def do(at: Values, both: str) -> str:
        name, _, value = both.partition("::")
        return deed(at, kind + name.strip(), value.strip())

    return do


def _variables(suffix: str, kind: str) -> dict[str, Callable[[Values, str], str]]:
    return {
        f"get{suffix}": lambda at, name: at.variable(kind + name.strip()),
        f"set{suffix}": _pair(Values.set, kind),
        f"add{suffix}": _pair(Values.add, kind),
        f"inc{suffix}": lambda at, name: at.count(kind + name.strip(), 1),
        f"dec{suffix}": lambda at, name: at.count(kind + name.strip(), -1),
    }


REMOVED = frozenset({"//", "comment", "hidden_key", "noop", "banned", "outlet"})
PLAIN: dict[str, Callable[[Values], str]] = {
    "char": lambda at: at.context.speaking.called,
    "user": lambda at: at.context.persona,
    "persona": lambda at: at.card(at.context.about) or at.context.persona,
    "group": lambda at: ", ".join(member.called for member in at.context.cast),
    "groupnotmuted": lambda at: ", ".join(member.called for member in at.context.cast),
    "notchar": lambda at: at.not_char(),
    "charifnotgroup": lambda at: at.context.speaking.called if len(at.context.cast) < 2 else "",
    "description": lambda at: at.card(at.context.speaking.description),
    "personality": lambda at: at.card(at.context.speaking.personality),
    "scenario": lambda at: at.card(at.context.speaking.scenario or at.context.premise),
    "mesexamples": lambda at: at.card(at.context.speaking.example_dialogue),
    "charprompt": lambda at: at.card(at.context.speaking.system_prompt),
    "charinstruction": lambda at: at.card(at.context.speaking.post_history_instructions),
    "chardepthprompt": lambda at: at.card(at.context.speaking.depth_prompt),
    "charversion": lambda at: at.context.speaking.version,
    "charfirstmessage": lambda at: at.greeting("0"),
    "original": lambda at: at.original(),
    "time": lambda at: moments.clock_time(at.context.now),
    "date": lambda at: moments.long_date(at.context.now),
    "weekday": lambda at: moments.weekday(at.context.now),
    "isotime": lambda at: f"{at.context.now:%H:%M}",
    "isodate": lambda at: at.context.now.date().isoformat(),
    "idleduration": lambda at: at.idle(),
    "newline": lambda _: "\n",
    "space": lambda _: " ",
    "lastmessage": lambda at: at.last(lambda _: True),
    "lastusermessage": lambda at: at.last(lambda turn: turn.by_person),
    "lastcharmessage": lambda at: at.last(lambda turn: not turn.by_person),
    "lastmessageid": lambda at: at.last_id(),
    "lastswipeid": lambda _: "",
    "currentswipeid": lambda _: "",
    "summary": lambda _: "",
    "input": lambda at: at.input(),
    "model": lambda at: at.context.model,
    "maxprompt": lambda at: "" if at.context.room is None else str(at.context.room),
}
TAKING: dict[str, Callable[[Values, str], str | None]] = {
    "random": lambda at, listed: at.source.choice(_options(listed)),
    "pick": lambda at, listed: at.pick(listed),
    "roll": lambda at, dice: at.roll(dice),
    "reverse": lambda _, text: text[::-1],
    "newline": _repeated("\n"),
    "space": _repeated(" "),
    "charfirstmessage": lambda at, number: at.greeting(number),
    "datetimeformat": lambda at, wanted: moments.formatted(at.context.now, wanted.strip()),
    "timediff": lambda at, both: at.time_between(both),
    "if": lambda at, listed: at.chosen(listed),
    **_variables("var", "."),
    **_variables("globalvar", "$"),
}
