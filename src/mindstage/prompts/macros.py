"""Macros of character cards and lorebooks: `{{char}}`, `{{random:a,b}}`, `{{if .met}}...{{/if}}` and their kin.

Only text of authors (cards, scenarios, lore, greetings) is expanded. What a person or a model wrote in a story is never
read for macros: values are put in as they are and not read again.

One pass over the text with a stack of open macros, so the work grows with the length of the text and of what is put in.
Four bounds keep it so: a nesting deeper than `DEEPEST` stays as text, what macros put into one text ends at
`MOST_INSERTED` characters and into all texts of one prompt at `MOST_IN_ALL` (variables, dice and dates pay from the
same allowance), and dice come at most `MOST_DICE` at a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mindstage.prompts.inputs import PromptInputs
from mindstage.prompts.macro_values import MOST_IN_ALL, MOST_INSERTED, PLAIN, MacroContext, Values, argument

__all__ = ["DEEPEST", "MOST_INSERTED", "MOST_IN_ALL", "MacroContext", "context_of", "expand", "literal"]

DEEPEST = 24

TOKEN = re.compile(r"\{\{(?:char|user)\}\}|\\\{\\\{|\\\}\\\}|\{\{+|\}\}|<(?:bot|char|user)>", re.IGNORECASE)
READ = re.compile(r"\\\{(?=\\\{)|\\\}(?=\\\})|\{\{|<(?=(?:bot|char|user)>)", re.IGNORECASE)
WORD = re.compile(r"\s*(if(?=[\s:!])|else\s*$|/if\s*$|trim\s*$)", re.IGNORECASE)


def context_of(inputs: PromptInputs, *, room: int | None = None) -> MacroContext:
    """What the macros of one prompt see. `room`: the tokens it may fill."""
    return MacroContext(
        persona=inputs.persona,
        cast=inputs.cast,
        seed=inputs.seed,
        now=inputs.now,
        premise=inputs.premise,
        about=inputs.about,
        turns=inputs.turns,
        model=inputs.model,
        room=room,
    )


def expand(text: str, context: MacroContext) -> str:
    """The text with its macros replaced. Unknown ones stay as they are; it never raises, whatever the text."""
    if "{" not in text and "<" not in text:
        return text
    return _Expansion(text, context).run()


def literal(text: str) -> str:
    """A text that a person or a model wrote, so that it can stand where an author's does: `expand` gives it back.

    What would be read is written as `\\{\\{`, or parted by a macro that comes to nothing.
    """
    return READ.sub(lambda sign: r"\{\{" if sign.group() == "{{" else sign.group() + "{{noop}}", text)


@dataclass(slots=True)
class _Frame:
    """What was read since a macro's `{{`, or since a block's `{{if ...}}`.

    `live`: whether macros in it are read; what an `{{if}}` leaves out is only carried along as it was written.
    Of a block: `written` is what came before `parts`, as text, for when it never ends; `kept` its first branch once
    `{{else}}` has come; `other` whether that one is live.
    """

    live: bool
    parts: list[str] = field(default_factory=list)
    block: bool = False
    written: list[str] = field(default_factory=list)
    kept: list[str] | None = None
    other: bool = False

    def as_text(self) -> list[str]:
        return [*self.written, *self.parts]


class _Expansion:
    """One pass over one text. `frames[0]` is the result, each further frame the inside of an open macro or block."""

    def __init__(self, text: str, context: MacroContext) -> None:
        self.text = text
        self.context = context
        self.values = Values(text, context, expand)
        self.frames = [_Frame(live=True)]
        self.open_macros = 0
        self.too_deep = 0
        self.blocks_too_deep = 0
        self.trimming = False

    def run(self) -> str:
        end = 0
        for match in TOKEN.finditer(self.text):
            self.put(self.text[end : match.start()])
            self.values.offset, end = match.start(), match.end()
            self.read(match.group())
        self.put(self.text[end:])
        while len(self.frames) > 1:
            self.give_up()
        return "".join(self.frames[0].parts)

    def read(self, token: str) -> None:
        if token[-1] == "}" and token[0] == "{":
            self.insert_name(token)
        elif token[0] == "{":
            self.open(len(token))
        elif token[0] == "}":
            self.close()
        elif not self.frames[-1].live:
            self.put(token)
        elif token[0] == "\\":
            self.put(token.replace("\\", ""))
        else:
            self.insert(self.context.persona if token.lower() == "<user>" else self.context.speaking.called)

    def insert_name(self, macro: str) -> None:
        """What most macros are, `{{char}}` and `{{user}}`, in one step: what opening and closing them comes to."""
        if len(self.frames) > DEEPEST or not self.frames[-1].live:
            self.put(macro)
        else:
            self.insert(PLAIN[macro[2:-2].lower()](self.values))

    def open(self, braces: int) -> None:
        # Of an odd run the first brace is text: "{{{char}}}" is a name in braces.
        if braces % 2:
            self.put("{")
        for _ in range(braces // 2):
            if len(self.frames) > DEEPEST:
                self.too_deep += 1
                self.put("{{")
            else:
                self.frames.append(_Frame(live=self.frames[-1].live))
                self.open_macros += 1

    def close(self) -> None:
        if self.too_deep:
            self.too_deep -= 1
            self.put("}}")
        elif not self.open_macros:
            self.put("}}")
        else:
            while self.frames[-1].block:
                self.give_up()
            self.open_macros -= 1
            inside = "".join(self.frames.pop().parts)
            if not self.read_word(inside):
                self.read_macro(inside)

    def read_macro(self, inside: str) -> None:
        value = self.values.of(inside) if self.frames[-1].live else None
        if value is None:
            self.frames[-1].parts += ["{{", inside, "}}"]
        else:
            self.insert(value)

    def read_word(self, inside: str) -> bool:
        """The macros that change how the text around them is read. False: it is none of them, or out of its place."""
        match = WORD.match(inside)
        word = match.group(1).lower().strip() if match else ""
        if match and word == "if":
            return self.begin_block(inside, argument(inside[match.end() :]))
        if word in ("else", "/if"):
            return self.turn_block(inside, ends=word == "/if")
        if word == "trim" and self.frames[-1].live:
            self.trim()
            return True
        return False

    def begin_block(self, inside: str, condition: str) -> bool:
        if "::" in condition:
            return False
        if len(self.frames) >= DEEPEST:
            # There must be room for the end of the deepest block.
            self.blocks_too_deep += 1
            return False
        outer = self.frames[-1].live
        holds = outer and self.values.holds(condition)
        self.frames.append(_Frame(live=holds, block=True, written=["{{", inside, "}}"], other=outer and not holds))
        return True

    def turn_block(self, inside: str, *, ends: bool) -> bool:
        """To the other branch, or to the end."""
        if self.blocks_too_deep:
            self.blocks_too_deep -= ends
            return False
        block = self.frames[-1]
        if not block.block or (block.kept is not None and not ends):
            return False
        if ends:
            self.end_block(inside)
        else:
            block.kept = block.parts if block.live else []
            block.written += [*block.parts, "{{", inside, "}}"]
            block.parts, block.live, block.other = [], block.other, block.live
        return True

    def end_block(self, inside: str) -> None:
        block = self.frames.pop()
        if not self.frames[-1].live:
            self.frames[-1].parts += [*block.as_text(), "{{", inside, "}}"]
            return
        chosen = block.parts if block.live else block.kept or []
        self.put("".join(chosen).strip())

    def give_up(self) -> None:
        """The innermost frame has no end: it was text."""
        frame = self.frames.pop()
        if not frame.block:
            self.open_macros -= 1
            frame.written = ["{{"]
        self.frames[-1].parts += frame.as_text()

    def put(self, text: str) -> None:
        frame = self.frames[-1]
        if self.trimming and frame.live:
            text = text.lstrip("\r\n")
            self.trimming = not text
        if text:
            frame.parts.append(text)

    def insert(self, value: str) -> None:
        if self.values.afford(len(value)):
            self.put(value)

    def trim(self) -> None:
        """Forget the line breaks around this place. Popping, not joining, so that many trims stay linear."""
        parts = self.frames[-1].parts
        while parts:
            if kept := parts.pop().rstrip("\r\n"):
                parts.append(kept)
                break
        self.trimming = True
