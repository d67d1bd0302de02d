"""Three turns through the whole door with the real model: prompt, route, reply, reading ahead.

The times to the first word are printed, never asserted: `pytest -s tests/gateway/test_play_on_this_machine.py`.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from mindstage.gateway import converse as door
from mindstage.gateway import tokens
from mindstage.gateway.ai_models.catalogue import SMOLLM2, locate
from mindstage.gateway.embedded.narrator import READING
from mindstage.gateway.embedded.process import ModelProcess
from mindstage.gateway.routes import Route, default_route
from mindstage.prompts.assemble import assemble
from mindstage.prompts.dialects import dialect_named
from mindstage.prompts.inputs import Budget, CastMember, LoreEntry, PastTurn, Prompt, PromptInputs

from .conftest import ask_process, listen

pytestmark = [
    pytest.mark.narrator,
    pytest.mark.skipif(locate(SMOLLM2, models_dir=Path("/nowhere")) is None, reason="SmolLM2 is not installed"),
]

SAID = ("I show her the sealed letter.", "I climb aboard and look for a place to hide.", "I ask the parrot.")


@pytest.fixture
async def small(configuration) -> AsyncIterator[Route]:
    """The route to the model of this machine, but for the length of a reply; its process ends with the test.

    A word that is told takes as long as three that are read, and reading is what these tests are about.
    """
    yield replace(default_route(), reply=24)
    await door.close()


LORE = (LoreEntry("The parrot", keys=("parrot",), content="The parrot repeats what was said in the dark. " * 3),)


def prompt_for(turns: list[PastTurn], route: Route, lore: tuple[LoreEntry, ...] = ()) -> Prompt:
    ilse = CastMember("Ilse Varga", description="Captain of an airship, in debt. Her parrot knows secrets.")
    inputs = PromptInputs(
        persona="Ada",
        premise="A city of storms, where smugglers fly. " * 6,
        cast=(ilse,),
        lore=lore,
        turns=tuple(turns),
        dialect=dialect_named(route.dialect),
        seed="story",
        now=datetime(2026, 1, 1, tzinfo=UTC),
    )
    budget = Budget(route.context, route.reply)
    return assemble(inputs, budget=budget, count=tokens.counter(route), overheads=tokens.overheads(route))


async def test_three_turns_and_only_new_words_are_read(small: Route) -> None:
    """From the second turn on most of the prompt has been read ahead."""
    turns = [PastTurn(0, "opening", "Ilse Varga", "Rain drums on the envelope. “You’re late,” she says. " * 4)]
    for number, said in enumerate(SAID):
        turns.append(PastTurn(len(turns), "do", "Ada", said))
        begun, first = time.perf_counter(), [0.0]
        heard = await listen(
            small,
            prompt_for(turns, small),
            hear=lambda text, first=first: first.__setitem__(0, first[0] or time.perf_counter()),
        )
        assert heard.problem is None
        assert heard.text.strip()
        read = next(share or 0.0 for say, share in heard.progress if say == READING)
        print(f"turn {number + 1}: first word after {first[0] - begun:.2f} s, {read:.0%} read before")
        assert (read > 0.5) is (number > 0)
        turns.append(PastTurn(len(turns), "reply", "Ilse Varga", heard.text))
        await door.warm(prompt_for(turns, small), route=small, person="ada")


async def test_a_line_that_is_sent_at_once_waits_for_no_old_words(small: Route) -> None:
    """Nothing was read ahead, and the lore around the last line has gone: line and reply are not read once more.

    Unless a text that they were read beside has gone from the story.
    """
    turns = [PastTurn(0, "opening", "Ilse Varga", "Rain drums on the envelope. “You’re late,” she says. " * 4)]
    read = []
    for said, premise in (("I ask the parrot.", b"as written"), ("I wait.", b"as written"), ("I go.", b"corrected")):
        turns.append(PastTurn(len(turns), "do", "Ada", said))
        named = frozenset(UUID(int=turn.position) for turn in turns)
        sources = door.Sources(premise, told=named, stands=named)
        heard = await listen(small, prompt_for(turns, small, LORE), sources=sources)
        turns.append(PastTurn(len(turns), "reply", "Ilse Varga", heard.text))
        read.append(next(share or 0.0 for say, share in heard.progress if say == READING))
    assert read[1] > 0.75
    assert read[2] < 0.25


async def test_the_meter_is_exact(small: Route) -> None:
    """What the context meter shows is what the model reads, to the token."""
    turns = [
        PastTurn(0, "opening", "Ilse Varga", "Rain. “You’re late.”"),
        PastTurn(1, "do", "Ada", "I wave 3 times."),
    ]
    prompt = prompt_for(turns, small)
    await listen(small, prompt)
    shown = sum(part.tokens for part in prompt.parts if part.id != "free")
    messages = [{"role": message.role.value, "content": message.content} for message in prompt.messages]
    process = running(small)
    rendered = await ask(process, "/apply-template", {"messages": messages})
    read = await ask(process, "/tokenize", {"content": rendered["prompt"], "parse_special": True})
    assert len(read["tokens"]) == shown


async def test_a_person_can_be_forgotten_and_all_be_closed(small: Route) -> None:
    """Freezing a person, and the end of the program, leave no process with their words."""
    await listen(small, person="ada")
    process = running(small)
    await door.forget("ben")
    assert process.lives
    await door.forget("ada")
    assert not process.lives
    await listen(small, person="ada")
    process = running(small)
    await door.close()
    assert not process.lives


def running(route: Route) -> ModelProcess:
    process = door._narrator(route)._process
    assert process
    return process


async def ask(process: ModelProcess, path: str, body: dict[str, object]) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((await ask_process(process, path, body))[1])
    return said
