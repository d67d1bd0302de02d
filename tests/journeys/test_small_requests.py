"""Pages send what is new, never what the story holds already."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Request, expect

from fakes.provider import Finish, Hold, Text, ThreadedFakeProvider
from journeys.visitor import Visitor, last, last_but, tool

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

MARK = re.compile(r"mark-[lr]-\d+")
LARGEST = 2_000  # bytes: a line, identifiers, a form's token


def test_no_request_sends_the_story_back(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """In a story of 200 turns everything that can be done is done: each body is small, and none holds a word of a
    turn that was there before."""
    page, story = player.page, player.page.url.removeprefix(player.address).split("/")[2]
    for number in range(100):
        narrator.play(Text(f"The tide takes mark-r-{number}. " * 5), Finish())
        body = {"mode": "do", "text": f"I follow mark-l-{number}.", "client_turn_id": str(uuid.uuid4())}
        assert player.request(f"/stream/stories/{story}/turns", body) == 200
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method != "GET" else None)
    page.reload()
    expect(page.locator("#turns > .turn")).to_have_count(50)
    page.evaluate("document.querySelector('story-reader').scrollTop = 10")
    expect(page.locator("#turns > .turn")).to_have_count(100)
    page.get_by_role("button", name="Back to the end").click()
    do_everything(player, narrator)
    assert {re.sub(r"[0-9a-f-]{36}", "*", request.url.removeprefix(player.address)) for request in sent} == {
        "/stories/*/draft/", "/stream/stories/*/turns", "/stream/stories/*/replies", "/stream/runs/*/stop",
        "/stories/*/turns/*/variants/", "/stories/*/turns/*/choice/", "/stories/*/turns/*/trash/",
        "/stories/*/turns/*/trash/undo/", "/stories/*/turns/*/branches/",
    }  # fmt: skip
    for request in sent:
        sent_body = request.post_data_buffer or b""
        assert sent_body or request.url.endswith("/stop"), f"{request.url}: the body could not be read"
        assert len(sent_body) <= LARGEST, f"{request.url}: {len(sent_body)} bytes"
        assert not MARK.findall(sent_body.decode()), f"{request.url} sends back what the story holds"


def do_everything(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Draft, take, stop, continue, regenerate, turn versions, edit, delete, undo, branch."""
    page = player.page
    with page.expect_response(lambda answer: answer.url.endswith("/draft/")):
        player.write("I look", "Say")
    player.play("I look back once.")
    narrator.play(Text("It is mark-r-900. "), Hold(), Finish())
    player.write("I wait.")
    page.keyboard.press("Enter")
    expect(last(page)).to_contain_text("mark-r-900")
    page.get_by_role("button", name="Stop").click()
    player.hear()
    narrator.play(Text("And on, mark-r-901."), Finish())
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(last(page)).to_contain_text("mark-r-901")
    narrator.play(Text("Or else, mark-r-902."), Finish())
    tool(player.hear(), "Try again")
    expect(last(page)).to_contain_text("mark-r-902")
    player.hear().get_by_role("button", name="Previous version").click()
    expect(last(page)).to_contain_text("mark-r-901")
    edited = page.locator(last_but(page, 5))
    tool(edited, "Edit")
    edited.get_by_role("textbox").fill("A new wording.")
    edited.get_by_role("button", name="Save as a new version").click()
    expect(edited).to_contain_text("A new wording.")
    gone = page.locator(last_but(page, 7))
    tool(gone, "Delete")
    page.get_by_role("button", name="Undo").click()
    expect(gone).to_be_visible()
    with page.expect_navigation():
        tool(page.locator(last_but(page, 9)), "Branch")
    player.play("I take the other way.")
