"""From a story's texts to the messages a model is sent.

The order is made for a server's prompt cache, which keeps a beginning that does not change: first the fixed parts, then
the history, and only before the newest words what this turn alone calls for (keyed lore). So the next prompt begins
with the same bytes as this one up to the turn that was answered, until a block of old turns leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mindstage.prompts import history, lore
from mindstage.prompts.budget import Meter, keep_end
from mindstage.prompts.inputs import Budget, Message, Overheads, Part, PastTurn, Prompt, PromptInputs, Role
from mindstage.prompts.macros import MacroContext, context_of, expand
from mindstage.prompts.sections import Sections, shorten, write_sections

TITLES = {
    "instructions": "Instructions",
    "scenario": "Scenario",
    "cast": "Cast",
    "lore": "Lore",
    "examples": "Example dialogue",
    "turns": "Turns",
    "free": "Free, and kept for the reply",
}

# Whatever an author wrote, a third of the room belongs to the story itself.
STORY_SHARE = 3

# Blank lines between the parts of one message, by any counter.
JOINTS = 6


COMMON = Overheads()


def assemble(
    inputs: PromptInputs,
    *,
    budget: Budget,
    count: Callable[[str], int],
    overheads: Overheads = COMMON,
    weighed: bool = True,
) -> Prompt:
    """The prompt for the last of `inputs.turns`, or for going on with `inputs.continue_from`.

    `count`: tokens of a text, best one that remembers; each text is asked for once. `overheads`: what messages cost
    besides. By these two the messages never cost more than `budget.room`, and the parts say what they cost exactly;
    who only sends the prompt needs none (`weighed=False`). Equal inputs give equal prompts.
    """
    if not overheads.reply:
        return _assemble(inputs, budget, Meter(count, overheads), weighed)
    less = Budget(context=budget.context - overheads.reply, reply=budget.reply)
    return _with_reply_head(_assemble(inputs, less, Meter(count, overheads), weighed), overheads.reply)


def _assemble(inputs: PromptInputs, budget: Budget, meter: Meter, weighed: bool) -> Prompt:
    fixed = _fixed_parts(inputs, budget, meter)
    room = budget.room - _cost(fixed.sections, meter) - fixed.reserve - _frame(meter)
    for _ in range(4):
        window = _window(inputs, fixed.sections, room, meter) if room * STORY_SHARE * 2 >= budget.room else None
        if window is None:
            break
        exchange, stable = _lay_out(inputs, fixed, window)
        excess = sum(meter.message(message.content) for message in exchange.messages) - budget.room
        if excess <= 0:
            parts = _parts(inputs, exchange.messages, fixed, window, budget, meter) if weighed else ()
            return _finish(inputs, fixed, window, tuple(exchange.messages), parts, stable)
        # Joined texts can cost more than their pieces by some counters. Then the story gets that much less.
        room -= excess
    return _bare(inputs, fixed, budget, meter)


@dataclass(slots=True)
class _Fixed:
    """`reserve`: kept for keyed lore, whether this turn calls any or not, so that the history's start stands still."""

    sections: Sections
    reserve: int
    called: list[lore.Fired]


@dataclass(slots=True)
class _Window:
    """What of the story is told: its turns as told, from `start` on; a reply to go on with; room for examples."""

    told: list[str]
    start: int
    continued: str
    examples: bool


def _fixed_parts(inputs: PromptInputs, budget: Budget, meter: Meter) -> _Fixed:
    """Everything but the story, cut so that the story keeps its share."""
    dialect, context = inputs.dialect, context_of(inputs, room=budget.room)
    most_lore = budget.context * dialect.lore_share // 100
    example_tokens = budget.context * dialect.examples_share // 100
    sections = write_sections(inputs, context, lore_tokens=most_lore, example_tokens=example_tokens, meter=meter)
    most_lore -= meter.tokens(sections.block("lore"))
    most_keyed = max(0, min(budget.context * dialect.keyed_share // 100, most_lore))
    reserve = _reserve(inputs, context.aside(), most_keyed, meter)
    most = budget.room - budget.room // STORY_SHARE - _frame(meter)
    excess = _cost(sections, meter) + reserve - most
    if excess + meter.tokens(sections.block("examples")) > 0 and sections.pieces["examples"]:
        sections.pieces["examples"] = []
        sections.notes.append("Example dialogue was left out to leave room for the story.")
    if excess > 0:
        reserve, excess = max(0, reserve - excess), excess - reserve
        shorten(sections, excess=excess, meter=meter)
    return _Fixed(sections, reserve, _called(inputs, context, sections, reserve, meter))


def _frame(meter: Meter) -> int:
    """What our own words between the turns may cost: a request before the first reply, "go on" after the last."""
    return 2 * max(meter.message(text) for text in (history.TELL, history.GO_ON)) + JOINTS + meter.overhead


def _cost(sections: Sections, meter: Meter) -> int:
    """The fixed parts without examples, which yield to the story."""
    return meter.message(sections.system(examples=False)) + meter.tokens(sections.block("after"))


def _reserve(inputs: PromptInputs, context: MacroContext, limit: int, meter: Meter) -> int:
    """What all keyed lore of the book would cost, as far as the limit."""
    found = lore.keyed(inputs.lore, expand=lambda text: expand(text, context))
    total = meter.tokens(_lore_note([], inputs)) if found else 0
    for one in found:
        total += meter.tokens(one.content) + 1
        if total >= limit:
            return limit
    return total


def _called(
    inputs: PromptInputs, context: MacroContext, sections: Sections, reserve: int, meter: Meter
) -> list[lore.Fired]:
    """The keyed lore of this turn, within its reserve. A reply to go on with is read for keys too."""
    turns = inputs.turns
    if inputs.continue_from:
        turns = (*turns, PastTurn(0, "reply", "", inputs.continue_from))
    found = lore.called_up(inputs.lore, turns, depth=inputs.scan_depth, expand=lambda text: expand(text, context))
    tokens = reserve - meter.tokens(_lore_note([], inputs))
    kept = lore.within(found, tokens=tokens, cost=lambda text: meter.tokens(text) + 1)
    if len(kept) < len(found):
        sections.notes.append("Some lore of this turn did not fit into the lore budget.")
    return kept


def _lore_note(contents: Sequence[str], inputs: PromptInputs) -> str:
    return inputs.dialect.recall.format("\n".join(contents))


def _window(inputs: PromptInputs, sections: Sections, room: int, meter: Meter) -> _Window | None:
    """Which turns are told in so many tokens; None if not even the newest can be."""
    continued = keep_end(inputs.continue_from.rstrip(), tokens=room * 2 // 3 - meter.overhead, count=meter.tokens)
    if continued:
        room -= meter.message(continued) + (0 if inputs.dialect.prefills else meter.message(history.RESUME))
    told = [history.told(turn, persona=inputs.persona) for turn in inputs.turns]
    if told and meter.message(told[-1]) > room:
        told[-1] = keep_end(told[-1], tokens=room - meter.overhead, count=meter.tokens)
    if room < 0 or (told and not told[-1]) or (inputs.continue_from.strip() and not continued):
        return None
    costs = _costs(inputs, told, room, meter)
    examples = _fits(costs, room - meter.tokens(sections.block("examples")), sections)
    room -= meter.tokens(sections.block("examples")) if examples else 0
    positions = [turn.position for turn in inputs.turns]
    start = history.first_kept(positions, costs, room=room, whole=not inputs.turns_before)
    return _Window(told, max(0, min(start, len(told) - 1)), continued, examples)


def _costs(inputs: PromptInputs, told: Sequence[str], room: int, meter: Meter) -> list[int]:
    """Tokens of each turn. Those too old to fit are not counted, only told to be too many."""
    costs, total = [0] * len(told), 0
    for index in range(len(told) - 1, -1, -1):
        costs[index] = room + 1
        if total <= room:
            costs[index] = meter.message(told[index])
            if index and not inputs.turns[index].by_person and not inputs.turns[index - 1].by_person:
                costs[index] += meter.message(history.GO_ON)
        total += costs[index]
    return costs


def _fits(costs: Sequence[int], room: int, sections: Sections) -> bool:
    """Whether examples stay: only beside the whole window. They leave all at once, so the beginning changes once."""
    return bool(sections.pieces["examples"]) and sum(costs) <= room


def _lay_out(inputs: PromptInputs, fixed: _Fixed, window: _Window) -> tuple[history.Exchange, int]:
    """The messages, and how many of the leading ones the next turn will find unchanged."""
    exchange = history.Exchange(system=fixed.sections.system(examples=window.examples))
    newest = history.TELL
    for index in range(window.start, len(window.told)):
        text, by_person = window.told[index], inputs.turns[index].by_person
        if by_person and index == len(window.told) - 1:
            newest = text
        else:
            newest = history.GO_ON
            exchange.add(Role.PERSON if by_person else Role.NARRATOR, text)
    stable = exchange.settled()
    called = _lore_note([one.content for one in fixed.called], inputs) if fixed.called else ""
    asked = (called, newest, fixed.sections.block("after"))
    exchange.add(Role.PERSON, "\n\n".join(text for text in asked if text))
    if window.continued:
        exchange.add(Role.NARRATOR, window.continued)
        if not inputs.dialect.prefills:
            exchange.add(Role.PERSON, history.RESUME)
    return exchange, stable


def _finish(
    inputs: PromptInputs,
    fixed: _Fixed,
    window: _Window,
    messages: tuple[Message, ...],
    parts: tuple[Part, ...],
    stable: int,
) -> Prompt:
    return Prompt(
        messages=messages,
        parts=parts,
        first_position=inputs.turns[window.start].position if inputs.turns else 0,
        dropped=inputs.turns_before + window.start,
        lore_fired=tuple((one.entry.name, one.key) for one in (*fixed.sections.constants, *fixed.called)),
        prefill=window.continued if inputs.dialect.prefills else "",
        stop=stops(inputs),
        stable=stable,
        notes=tuple(fixed.sections.notes),
    )


def stops(inputs: PromptInputs) -> tuple[str, ...]:
    """Where a model must be stopped: it begins to write the person's part, or a mark of its own template.

    At most four, because some servers take no more.
    """
    name = inputs.persona or history.NAMELESS
    return (f"\n{name}:", f"\n> {name}", *inputs.dialect.marks)[:4]


def _parts(
    inputs: PromptInputs, messages: Sequence[Message], fixed: _Fixed, window: _Window, budget: Budget, meter: Meter
) -> tuple[Part, ...]:
    """The context meter. Joints and message overheads belong to the instructions and the turns, so it adds up."""
    costs = [meter.exactly(message) for message in messages]
    head = costs[0] if messages[0].role is Role.SYSTEM else 0
    shown = {part: meter.tokens(fixed.sections.block(part)) for part in ("scenario", "cast", "lore")}
    shown["examples"] = meter.tokens(fixed.sections.block("examples")) if window.examples else 0
    head_parts = _balanced(shown, total=head, rest="instructions")
    called = meter.tokens(_lore_note([one.content for one in fixed.called], inputs)) if fixed.called else 0
    tail_shown = {"lore": called, "instructions": meter.tokens(fixed.sections.block("after"))}
    tail_parts = _balanced(tail_shown, total=sum(costs) - head, rest="turns")
    tokens = {part: head_parts.get(part, 0) + tail_parts.get(part, 0) for part in TITLES}
    tokens["free"] = budget.context - sum(costs)
    return tuple(Part(part, title, tokens[part]) for part, title in TITLES.items())


def _with_reply_head(prompt: Prompt, tokens: int) -> Prompt:
    """The head of the reply's own message is read with the prompt; it counts as ours, not as the story's."""
    parts = [replace(part, tokens=part.tokens + tokens) if part.id == "instructions" else part for part in prompt.parts]
    return replace(prompt, parts=tuple(parts))


def _balanced(shown: dict[str, int], *, total: int, rest: str) -> dict[str, int]:
    """What was counted by piece, made to add up to what was counted whole; `rest` gets the difference."""
    left, parts = total, {}
    for part, tokens in shown.items():
        parts[part] = min(tokens, left)
        left -= parts[part]
    parts[rest] = parts.get(rest, 0) + left
    return parts


def _bare(inputs: PromptInputs, fixed: _Fixed, budget: Budget, meter: Meter) -> Prompt:
    """A context so small that only the newest words fit. Better a short answer than none."""
    fixed.sections.notes.append("This model’s context is too small for the cast and the scenario.")
    fixed.sections.constants, fixed.called = [], []
    continued = inputs.continue_from.rstrip() if inputs.dialect.prefills else ""
    tokens = (budget.room - 2 * meter.overhead) // (2 if continued else 1)
    told = [history.told(turn, persona=inputs.persona) for turn in inputs.turns[-1:]] or [history.TELL]
    window = _Window([], max(0, len(inputs.turns) - 1), keep_end(continued, tokens=tokens, count=meter.tokens), False)
    messages = [Message(Role.PERSON, keep_end(told[0], tokens=tokens, count=meter.tokens))]
    messages += [Message(Role.NARRATOR, window.continued)] if window.continued else []
    shown = {"turns": sum(meter.exactly(message) for message in messages)}
    shown["free"] = budget.context - shown["turns"]
    parts = tuple(Part(part, title, shown.get(part, 0)) for part, title in TITLES.items())
    return _finish(inputs, fixed, window, tuple(messages), parts, 0)
