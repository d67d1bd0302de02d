"""What a model thinks before it speaks is no part of the story."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.provider import FakeProvider, Finish, Raw, Text
from mindstage.gateway.embedded.narrator import THINKING
from mindstage.gateway.providers.thoughts import Thoughts

from .conftest import listen, route_to


def said(pieces: list[str]) -> str:
    thoughts = Thoughts()
    return "".join([*map(thoughts.part, pieces), thoughts.rest()])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<think>She may lie.</think>She smiled.", "She smiled."),
        ("\n<think>\nHm.\n</think>\n\nShe smiled.", "\n\nShe smiled."),
        ("<thinking>Hm.</think> Still.</thinking>She smiled.", "She smiled."),
        ("<think></think>She smiled.", "She smiled."),
        ("<think>It never ends", ""),
        ("<think", "<think"),
        ("<b>She smiled.", "<b>She smiled."),
        ("She smiled. <think>Not a thought.</think>", "She smiled. <think>Not a thought.</think>"),
        ("<think>One.</think><think>Words.</think>", "<think>Words.</think>"),
        ("  ", "  "),
        ("", ""),
    ],
)
def test_a_thought_before_the_first_word_is_not_told(text: str, told: str) -> None:
    """However the pieces fall, down to letters."""
    assert said([text]) == told
    assert said(list(text)) == told


@given(st.lists(st.sampled_from(["<", "think", "ing", ">", "</", "a", " ", "\n", "<think>", "</think>"])), st.data())
def test_pieces_make_no_difference(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    edges = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[start:end] for start, end in zip([0, *edges], [*edges, len(text)], strict=True)]
    assert said(pieces) == said([text])


@given(st.text())
def test_words_are_told_as_they_are(text: str) -> None:
    if not text.lstrip().startswith("<think"):
        assert said(list(text)) == text


def event(**delta: str) -> Raw:
    return Raw(b"data: " + json.dumps({"choices": [{"delta": delta, "finish_reason": None}]}).encode() + b"\n\n")


async def test_a_thought_is_waited_for_and_said_to_last(provider: FakeProvider, configuration) -> None:
    """In the text or beside it: the page is told once that the narrator thinks, and then gets words alone."""
    for acts in (
        (Text("<thi"), Text("nk>She may lie."), Text("</thi"), Text("nk>She"), Text(" smiled.")),
        (event(reasoning_content="She may"), event(reasoning_content=" lie."), Text("She"), Text(" smiled.")),
        (event(reasoning="She may lie."), Text("She smiled.")),
    ):
        provider.play(*acts, Finish())
        heard = await listen(route_to(provider.base_url))
        assert (heard.text, heard.problem) == ("She smiled.", None)
        assert heard.progress == [(THINKING, None)]


@pytest.mark.parametrize("acts", [(Text("<think>On and on"),), (event(reasoning="On and on"), Text(""))])
async def test_thoughts_alone_are_no_reply(provider: FakeProvider, configuration, acts: tuple[Raw | Text, ...]) -> None:
    """A model that thinks until its tokens are spent is told apart from one that says nothing."""
    provider.play(*acts, Finish("length"))
    heard = await listen(route_to(provider.base_url))
    assert heard.text == ""
    assert heard.problem
    assert heard.problem.kind == "lost_in_thought"
    assert heard.problem.retryable
