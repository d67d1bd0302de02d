"""From a scenario or a card to what a story is begun with: names, premise, cast, lore, and the openings to choose from.

Openings come with their macros expanded, because they become turns, and a turn's text is never expanded. All else goes
to the prompt as its author wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from mindstage.kit import clock
from mindstage.library.cards import Card, CardLore
from mindstage.library.characters import line_of, open_card
from mindstage.library.correctable import mark_of
from mindstage.library.models import Character, Material
from mindstage.library.starters import Starter, StarterCast, StarterLore
from mindstage.prompts.inputs import CastMember, LoreEntry, from_rows
from mindstage.prompts.macros import MacroContext, expand
from mindstage.vault.purposes import Purpose

LONGEST_SCENE = 1_000
"""Characters: a scenario up to here can open a story by itself; a longer one is a briefing, not a scene."""
LONGEST_BYLINE = 120


@dataclass(frozen=True, slots=True)
class StageParts:
    """What a story is begun with. Its `repr` shows no text.

    `byline` stands under the title on the cover. `roles` are (name, line) of the cast as the page shows it; what `cast`
    and `lore` tell is for the narrator alone. There is always a greeting. `source`: `starter:SLUG`, `character:UUID`.
    """

    title: str = field(repr=False)
    byline: str = field(repr=False)
    premise: str = field(repr=False)
    cast: tuple[CastMember, ...] = field(repr=False)
    roles: tuple[tuple[str, str], ...] = field(repr=False)
    lore: tuple[LoreEntry, ...] = field(repr=False)
    greetings: tuple[str, ...] = field(repr=False)
    source: str
    marks: str = field(repr=False)
    """Of each opening as it is written, for the page that offers them: whether the one that was chosen is still it.

    There is always one, as there is a greeting: nothing said of them comes only from a page that does not know them."""
    about: str = field(default="", repr=False)
    """Who is played, where the scenario says so and nobody chose a persona of their own."""
    goes_on_offering: bool = False
    """The greetings that were not chosen go along as versions of the opening: of a card that is what its authors expect
    (V2: alternate greetings are swipes of the first message)."""


def stage_parts_of_starter(starter: Starter, persona: str) -> StageParts:
    """A scenario's parts, for somebody who plays under the name `persona`."""
    cast = tuple(_member(member) for member in starter.cast)
    source = f"starter:{starter.slug}"
    context = _context(persona, cast, premise=starter.premise, seed=source)
    return StageParts(
        title=starter.title,
        byline=starter.genre,
        premise=starter.premise,
        cast=cast,
        roles=tuple((member.name, member.role) for member in starter.cast),
        lore=tuple(_starter_entry(entry) for entry in starter.lore),
        greetings=tuple(expand(opening.text, context) for opening in starter.openings),
        source=source,
        marks=" ".join(mark_of(opening.text) for opening in starter.openings),
        about=starter.persona_hint,
    )


def stage_parts_of_card(character: Character, persona: str) -> StageParts:
    """The parts of a story that is begun with somebody's own character. Raises KeyGone, CardRefused."""
    return parts_of_card(open_card(character, Purpose.IMPORT), persona, source=f"character:{character.pk}")


def parts_of_card(card: Card, persona: str, *, source: str) -> StageParts:
    """A card's parts. The same `source` draws the same `{{random}}` in an opening on its page and in its story."""
    member = CastMember(
        name=card.name,
        nickname=card.nickname,
        description=card.description,
        personality=card.personality,
        example_dialogue=card.example_dialogue,
        system_prompt=card.system_prompt,
        post_history_instructions=card.post_history_instructions,
        depth_prompt=_depth_prompt(card),
        version=card.character_version,
        greetings=card.greetings,
    )
    context = _context(persona, (member,), premise=card.scenario, seed=source)
    plain, made_of = _plain_opening(card, context), (card.scenario, card.nickname, card.name)
    greetings, marks = _openings(card.greetings, context, plain, made_of)
    return StageParts(
        title=card.name,
        byline=card.creator[:LONGEST_BYLINE],
        premise=card.scenario,
        cast=(member,),
        roles=((card.name, line_of(card)),),
        lore=to_lore(card.lore),
        greetings=greetings,
        source=source,
        marks=marks,
        goes_on_offering=True,
    )


def to_lore(entries: tuple[CardLore, ...]) -> tuple[LoreEntry, ...]:
    """A book's entries as a stage has them. Those that look for patterns are kept in the book and not used yet."""
    return tuple(_card_entry(entry) for entry in entries if not entry.use_regex)


def parts_of_scenario(scenario: Material, persona: str, purpose: Purpose = Purpose.IMPORT) -> StageParts:
    """The parts of a story that is begun with a scenario of one's own. Raises KeyGone."""
    raw = json.loads(scenario.open_bytes("content", purpose))
    cast, title = from_rows(CastMember, filter(_has_name, raw["cast"])), scenario.open("name", purpose)
    context = _context(persona, cast, premise=raw["premise"], seed=f"scenario:{scenario.pk}")
    scene = expand(raw["premise"], context).strip()
    plain = scene if 0 < len(scene) <= LONGEST_SCENE else title
    greetings, marks = _openings(raw["openings"], context, plain, (raw["premise"], title))
    return StageParts(
        title=title,
        byline=raw["byline"],
        premise=raw["premise"],
        cast=cast,
        roles=tuple((role["name"], role["line"]) for role in filter(_has_name, raw["roles"])),
        lore=from_rows(LoreEntry, raw["lore"]),
        greetings=greetings,
        source=raw["source"],
        marks=marks,
    )


def same_opening(parts: StageParts, number: int, seen: str) -> bool:
    """Whether the opening of that number is the one that a page offered under it. `seen`: the marks of that page."""
    was, now = seen.split(), parts.marks.split()
    return not seen or was[number : number + 1] == now[number : number + 1]


def _has_name(row: dict[str, Any]) -> bool:
    """Whether one of a scenario's cast was written already: the page adds them blank."""
    return bool(row["name"].strip())


def _depth_prompt(card: Card) -> str:
    """SillyTavern's note on the character, which the card's format does not know: `{{charDepthPrompt}}`."""
    note = card.extensions.get("depth_prompt")
    prompt = note.get("prompt") if isinstance(note, dict) else None
    return prompt if isinstance(prompt, str) else ""


def _openings(
    written: Sequence[str], context: MacroContext, plain: str, made_of: tuple[str, ...]
) -> tuple[tuple[str, ...], str]:
    """Every opening under its own number, and their marks.

    One that macros leave empty, or a lack of any, becomes the plain one: then the mark is also of what that is
    `made_of`, as it is written. How it reads is no part of it, since the page does not know yet who will play.
    """
    written = written or ("",)
    told = [expand(one, context).strip() for one in written]
    marks = [mark_of(one if words else "\n".join((one, *made_of))) for one, words in zip(written, told, strict=True)]
    return tuple(words or plain for words in told), " ".join(marks)


def _plain_opening(card: Card, context: MacroContext) -> str:
    scene = expand(card.scenario, context).strip()
    return scene if 0 < len(scene) <= LONGEST_SCENE else f"{context.speaking.called} is here."


def _context(persona: str, cast: tuple[CastMember, ...], *, premise: str, seed: str) -> MacroContext:
    now = clock.now().astimezone(settings.MINDSTAGE.time_zone)
    return MacroContext(persona=persona, cast=cast, seed=seed, now=now, premise=premise)


def _member(member: StarterCast) -> CastMember:
    return CastMember(
        name=member.name,
        description=member.description,
        personality=member.personality,
        example_dialogue=member.example_dialogue,
    )


def _starter_entry(entry: StarterLore) -> LoreEntry:
    return LoreEntry(
        name=entry.name, keys=entry.keys, content=entry.content, constant=entry.constant, order=entry.order
    )


def _card_entry(entry: CardLore) -> LoreEntry:
    return LoreEntry(
        name=entry.name,
        keys=entry.keys,
        content=entry.content,
        constant=entry.constant,
        case_sensitive=entry.case_sensitive,
        order=entry.order,
        enabled=entry.enabled,
        secondary_keys=entry.secondary_keys,
        selective=entry.selective,
    )
