"""The pictures of the README, made from a real evening with a scripted narrator.

MINDSTAGE_SCREENSHOTS=1 bin/test tests/journeys/test_pictures.py    writes them into docs/screenshots
Without it they are only made, to know that they can be.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from fakes.provider import Finish, Text, ThreadedFakeProvider
from journeys.conftest import Come
from journeys.evening import BELL, CABLE, GOAT, HEDDA
from journeys.visitor import Visitor
from library import card_makers as make
from system.program import Start

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

GALLERY = Path(__file__).parent.parent.parent / "docs" / "screenshots"
HEAVIEST = 250_000
HOUSE = """[[provider]]
id = "attic"
kind = "openai"
base_url = "{address}"
api_key_env = "FAKE_KEY"
models = ["storyteller"]
region = "this house"
"""


def test_the_pictures_can_be_made(come: Come, running_program: Start, tmp_path: Path) -> None:
    """Home, and the play page as paper, as theatre and on a phone; none heavier than 250 kB."""
    folder = GALLERY if os.environ.get("MINDSTAGE_SCREENSHOTS") == "1" else tmp_path
    with ThreadedFakeProvider() as provider:
        toml = HOUSE.format(address=provider.base_url)
        visitor = come(running_program(environ={"FAKE_KEY": "k"}, toml=toml).address, reduced_motion="reduce")
        story = spend_evening(visitor, provider)
        page = visitor.page
        take(page, folder / "home.png", lambda: visitor.go("/"))
        take(page, folder / "play.png", lambda: visitor.go(story))
        take(page, folder / "play-dark.png", lambda: visitor.go(story), dark=True)
        take(page, folder / "play-phone.png", lambda: visitor.go(story), size=(390, 844))
    for picture in folder.glob("*.png"):
        assert picture.stat().st_size <= HEAVIEST, picture.name


def spend_evening(visitor: Visitor, provider: ThreadedFakeProvider) -> str:
    """Play three stories and bring a character; returns the path of the one that was played last."""
    visitor.sign_up("sunniva")
    file = {"name": "hedda.json", "mimeType": "application/json", "buffer": make.to_json(HEDDA)}
    visitor.go("/characters/new/").get_by_label("Drop a card here").set_input_files(file)  # type: ignore[arg-type]
    visitor.page.get_by_role("button", name="Read this card").click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Hedda Quill")
    story = ""
    for slug, lines in (("the-goat-in-the-chair", [GOAT]), ("dead-cable", [CABLE]), ("a-bell-for-nobody", BELL)):
        visitor.go(f"/scenarios/{slug}/")
        visitor.page.get_by_label("Your name in this story").fill("Sunniva")
        story = visitor.begin(slug, fresh=False)
        for mode, line, reply in lines:
            provider.play(Text(reply), Finish())
            visitor.play(line, mode)
    return story


def take(
    page: Page, file: Path, arrive: Callable[[], Page], *, dark: bool = False, size: tuple[int, int] = (1440, 900)
) -> None:
    """One picture, packed as tightly as it goes without a change."""
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    arrive()
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=file)
    with Image.open(file) as picture:
        picture.convert("RGB").save(file, optimize=True)
