"""A GGUF file of one's own, by its path: it tells, and its prompts fit, whatever its template."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mindstage.config.configuration import ProviderEntry
from mindstage.gateway import converse as door
from mindstage.gateway import tokens
from mindstage.gateway.ai_models.catalogue import SMOLLM2, locate
from mindstage.gateway.routes import Route, chosen_route, default_route
from mindstage.prompts.inputs import Overheads, PastTurn, Prompt

from .conftest import listen
from .test_gguf import gguf, pair, strings, text, write
from .test_play_on_this_machine import ask, prompt_for, running

MODEL = locate(SMOLLM2, models_dir=Path("/nowhere"))
with_model = pytest.mark.skipif(MODEL is None, reason="SmolLM2 is not installed")

TURNS = [PastTurn(0, "opening", "Ilse Varga", "Rain. “You’re late.”"), PastTurn(1, "do", "Ada", "I wave 3 times.")]
FEW = 40
"""Tokens of a reply, where it matters only that there is one."""
CHATML = "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
ALPACA = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}{{ '### Response:\n' }}"
    "{% else %}{{ '### Instruction:\n' }}{% endif %}{{ message['content'] + '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Response:\n' }}{% endif %}"
)


@pytest.fixture
async def awake() -> AsyncIterator[None]:
    """Whatever process a test has woken ends with it."""
    yield
    await door.close()


def own(configuration, path: Path) -> Route:  # type: ignore[no-untyped-def]
    configuration(providers=(ProviderEntry(id="mine", kind="embedded", path=str(path), context=1024),))
    return default_route()


def shown(prompt: Prompt) -> int:
    return sum(part.tokens for part in prompt.parts if part.id != "free")


async def read_by(route: Route, prompt: Prompt) -> int:
    """How many tokens the running model makes of a prompt, its template included."""
    messages = [{"role": message.role.value, "content": message.content} for message in prompt.messages]
    rendered = await ask(running(route), "/apply-template", {"messages": messages})
    read = await ask(running(route), "/tokenize", {"content": rendered["prompt"], "parse_special": True})
    return len(read["tokens"])


@with_model
@pytest.mark.narrator
async def test_a_file_of_ones_own_tells_a_turn(configuration, tmp_path: Path, awake: None) -> None:
    """A copy of a model under another name, named by `path` alone: words come, the turn ends, the meter is exact."""
    assert MODEL
    path = tmp_path / "tale.gguf"
    shutil.copyfile(MODEL, path)
    route = own(configuration, path)
    assert chosen_route("mine/tale") == route
    prompt = prompt_for(TURNS, route)
    heard = await listen(replace(route, reply=FEW), prompt)
    assert heard.problem is None
    assert heard.finish in ("stop", "length")
    assert heard.text.strip()
    assert await read_by(route, prompt) == shown(prompt)


@with_model
@pytest.mark.narrator
async def test_a_file_with_another_template_is_not_undercounted(configuration, tmp_path: Path, awake: None) -> None:
    """The same weights with a template that is not ChatML: its marks cost no more than was allowed for."""
    assert MODEL
    whole = MODEL.read_bytes()
    start = whole.index(b"{% for message in messages %}")
    end = whole.index(b"{% endif %}", whole.index(b"add_generation_prompt", start)) + len(b"{% endif %}")
    path = tmp_path / "other.gguf"
    path.write_bytes(whole[:start] + ALPACA.ljust(end - start).encode() + whole[end:])
    assert path.stat().st_size == MODEL.stat().st_size
    route = own(configuration, path)
    prompt = prompt_for(TURNS, route)
    assert (
        await listen(replace(route, reply=FEW), prompt)
    ).problem is None  # a model asked in a foreign form may have nothing to say
    assert await read_by(route, prompt) <= shown(prompt)


def test_overheads_come_from_the_file(configuration, tmp_path: Path) -> None:
    """ChatML by its marks and roles, one more where the file begins with a token; any other template with care."""

    def overheads(template: str | None, *, begins: bool = False, marks: bool = True) -> Overheads:
        tokens._files.clear()
        vocabulary = ["a", "b", "ab"] + ["<|im_start|>", "<|im_end|>"] * marks
        pairs = [pair("tokenizer.ggml.model", 8, text("gpt2")), pair("tokenizer.ggml.tokens", 9, strings(*vocabulary))]
        pairs += [pair("tokenizer.ggml.add_bos_token", 7, b"\1")] * begins
        pairs += [pair("tokenizer.chat_template", 8, text(template))] if template is not None else []
        return tokens.overheads(own(configuration, write(tmp_path, gguf(*pairs))))

    chatml = overheads(CHATML)
    assert chatml.reply == chatml.narrator - 2
    assert overheads(CHATML, begins=True) == Overheads(
        chatml.system, chatml.person, chatml.narrator, reply=chatml.reply + 1
    )
    others = [overheads(CHATML, marks=False), overheads(ALPACA), overheads(""), overheads(None)]
    assert others == [tokens.UNKNOWN_TEMPLATE] * 4
    assert tokens.overheads(own(configuration, tmp_path / "none.gguf")) == tokens.UNKNOWN_TEMPLATE
