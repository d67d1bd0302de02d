"""The parts of a prompt that do not change from turn to turn: instructions, scenario, cast, constant lore, examples."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from mindstage.prompts import lore
from mindstage.prompts.budget import Meter, keep_start, limit_words
from mindstage.prompts.history import NAMELESS
from mindstage.prompts.inputs import CastMember, Dialect, PromptInputs
from mindstage.prompts.macros import MacroContext, expand

START = re.compile(r"^[ \t]*<START>[ \t]*$", re.IGNORECASE | re.MULTILINE)
ORDER = ("instructions", "scenario", "cast", "lore", "examples")
HEADINGS = {
    "scenario": "# Scenario",
    "cast": "# Cast",
    "lore": "# What is known",
    "examples": "# Examples of how they speak (not part of the story)",
}
PLAIN_HEADINGS = {"examples": "They speak like this:"}

# In this order parts give way when the fixed text would crowd out the story; what people read when it happens.
YIELDING = {
    "cast": "The descriptions of the cast were shortened to leave room for the story.",
    "scenario": "The scenario was shortened to leave room for the story.",
    "lore": "The lore that is always present was shortened to leave room for the story.",
    "after": "The closing instructions were shortened to leave room for the story.",
    "instructions": "The instructions were shortened to leave room for the story.",
}


@dataclass(slots=True)
class Sections:
    """Texts by part, each a list of pieces. `after`: the instructions that follow the history."""

    dialect: Dialect
    pieces: dict[str, list[str]]
    constants: list[lore.Fired] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def block(self, part: str) -> str:
        """One part as it stands in the prompt: with its heading, or in the form of a closing note."""
        text = "\n".join(piece for piece in self.pieces[part] if piece)
        if part == "after" and text:
            return self.dialect.closing.format(text)
        heading = (HEADINGS if self.dialect.headings else PLAIN_HEADINGS).get(part)
        return f"{heading}\n{text}" if heading and text else text

    def system(self, *, examples: bool) -> str:
        parts = ORDER if examples else ORDER[:-1]
        return "\n\n".join(block for part in parts if (block := self.block(part)))


def write_sections(
    inputs: PromptInputs, context: MacroContext, *, lore_tokens: int, example_tokens: int, meter: Meter
) -> Sections:
    """All fixed parts of these inputs, macros expanded in this order, cut to what the dialect takes."""
    sections = Sections(
        dialect=inputs.dialect,
        pieces={
            "instructions": instructions(inputs, context),
            "scenario": scenario(inputs, context),
            "cast": [*(portrait(member, inputs.dialect, context) for member in inputs.cast), *played(inputs, context)],
            "lore": [],
            "examples": examples(inputs, context, tokens=example_tokens, count=meter.tokens),
            "after": after_history(inputs, context),
        },
    )
    add_constants(sections, inputs, context, tokens=lore_tokens, meter=meter)
    return sections


def instructions(inputs: PromptInputs, context: MacroContext) -> list[str]:
    """The dialect's instructions, or what the cards put in their place (`{{original}}` is then the replaced text)."""
    ours = expand(inputs.dialect.instructions, context).replace("{names}", _names(inputs.cast))
    return _replaced(inputs, context, ours, lambda member: member.system_prompt)


def _names(cast: tuple[CastMember, ...]) -> str:
    *others, last = [member.called for member in cast] or ["whoever appears in it"]
    return f"{', '.join(others)} and {last}" if others else last


def after_history(inputs: PromptInputs, context: MacroContext) -> list[str]:
    ours = expand(inputs.dialect.reminder, context)
    return _replaced(inputs, context, ours, lambda member: member.post_history_instructions)


def _replaced(
    inputs: PromptInputs, context: MacroContext, ours: str, field_of: Callable[[CastMember], str]
) -> list[str]:
    """Of several cards the first that speaks of the replaced text gets it; it must not stand there twice."""
    written: list[str] = []
    for member in inputs.cast:
        if raw := field_of(member).strip():
            original = "" if any(ours in text for text in written) else ours
            text = expand(raw, context.of(member, original=original))
            written.append(_short(text, inputs.dialect) if ours not in text else text)
    return written or [ours]


def scenario(inputs: PromptInputs, context: MacroContext) -> list[str]:
    texts = [expand(inputs.premise, context).strip()]
    for member in inputs.cast:
        text = expand(member.scenario, context.of(member)).strip() if member.scenario else ""
        if text and text not in texts:
            texts.append(text)
    return [_short(text, inputs.dialect) for text in texts]


def portrait(member: CastMember, dialect: Dialect, context: MacroContext) -> str:
    """Name, description and personality in one piece."""
    own = context.of(member)
    words = [expand(text, own).strip() for text in (member.description, member.personality)]
    text = " ".join(word for word in words if word)
    # Most cards open with the name; saying it twice would cost the small model's few words.
    if not text.startswith(member.name):
        text = f"{member.name}: {text}" if text else member.name
    return _short(text, dialect)


def played(inputs: PromptInputs, context: MacroContext) -> list[str]:
    """Whom the author plays, after those whom the narrator does; nothing when they have not said."""
    about = expand(inputs.about, context).strip()
    name = inputs.persona or NAMELESS
    return [_short(f"{name}, whom the other person plays: {about}", inputs.dialect)] if about else []


def _short(text: str, dialect: Dialect) -> str:
    return limit_words(text, dialect.max_card_words) if dialect.max_card_words else text


def add_constants(
    sections: Sections, inputs: PromptInputs, context: MacroContext, *, tokens: int, meter: Meter
) -> None:
    """Lore that is always there, as far as the lore budget goes."""
    found = lore.constants(inputs.lore, expand=lambda text: expand(text, context))
    kept = lore.within(found, tokens=tokens, cost=lambda text: meter.tokens(text) + 1)
    sections.constants = kept
    sections.pieces["lore"] = [one.content for one in kept]
    if len(kept) < len(found):
        sections.notes.append("Some lore that is always present did not fit into the lore budget.")


def examples(inputs: PromptInputs, context: MacroContext, *, tokens: int, count: Callable[[str], int]) -> list[str]:
    """Example dialogue, whole blocks as they were opened by `<START>`, as many as fit."""
    kept: list[str] = []
    for member in inputs.cast:
        for block in START.split(member.example_dialogue):
            text = expand(block, context.of(member)).strip()
            tokens -= count(text) + 1 if text else 0
            if tokens < 0:
                return kept
            kept += [text] if text else []
    return kept


def shorten(sections: Sections, *, excess: int, meter: Meter) -> None:
    """Cut the fixed parts by `excess` tokens at the ends of sentences, in the order in which they give way."""
    for part, note in YIELDING.items():
        if excess <= 0:
            return
        before = meter.tokens(sections.block(part))
        if before:
            _shorten_pieces(sections, part, excess=excess, meter=meter)
            excess -= before - meter.tokens(sections.block(part))
            sections.notes.append(note)


def _shorten_pieces(sections: Sections, part: str, *, excess: int, meter: Meter) -> None:
    """Every piece keeps the same share, so that the last of the cast fares no worse than the first."""
    pieces = sections.pieces[part]
    total = sum(meter.tokens(piece) for piece in pieces) or 1
    share = max(0.0, 1 - (excess + len(pieces)) / total)
    sections.pieces[part] = [
        keep_start(piece, tokens=int(meter.tokens(piece) * share), count=meter.tokens) for piece in pieces
    ]
