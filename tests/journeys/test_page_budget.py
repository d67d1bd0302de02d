"""What the play page costs on the wire, and that no page of the program is wider than its screen."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from fakes.provider import Finish, ThreadedFakeProvider, Words
from journeys.conftest import Come
from journeys.visitor import Visitor
from library import card_makers as make

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

REQUESTS, BYTES = 15, 100_000
NAMED = {"button", "link", "textbox", "radio", "tab", "checkbox", "dialog", "img", "region", "log", "tabpanel"}


def test_the_play_page_is_small(
    player: Visitor, narrator: ThreadedFakeProvider, chromium: Browser, record_property: pytest.RecordProperty
) -> None:
    """Opened cold, with fifty turns of prose: at most 15 requests and 100 kB on the wire, headers included."""
    narrator.always(Words(60), Finish())
    for number in range(25):
        body = {"mode": "do", "text": f"Line {number}.", "client_turn_id": f"00000000-0000-4000-8000-{number:012}"}
        story = player.page.url.split("/")[4]
        assert player.request(f"/stream/stories/{story}/turns", body) == 200
    cold = chromium.new_context(storage_state=player.context.storage_state())
    page = cold.new_page()
    wire, asked = measure(cold.new_cdp_session(page))
    page.goto(player.page.url, wait_until="networkidle")
    cold.close()
    told = f"{len(asked)} requests, {sum(wire) / 1000:.1f} kB on the wire:\n" + "\n".join(asked)
    record_property("play page", told.splitlines()[0])
    print(told.splitlines()[0])
    assert len(asked) <= REQUESTS, told
    assert sum(wire) <= BYTES, told


def measure(cdp: Any) -> tuple[list[float], list[str]]:
    """Bytes of each answer as they came over the wire, and the addresses asked for."""
    wire: list[float] = []
    asked: list[str] = []
    cdp.on("Network.loadingFinished", lambda event: wire.append(event["encodedDataLength"]))
    cdp.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    cdp.send("Network.enable")
    return wire, asked


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_fits_and_is_named(come: Come, narrator: ThreadedFakeProvider, dark: bool) -> None:
    """At 360, 390, 768 and 1440 pixels, in both themes: no sideways scroll, one h1 and main, named controls."""
    visitor = come(dark=dark, reduced_motion="reduce")  # a fade between pages would be cut off by the next size
    page = visitor.page
    visitor.allow(404)
    check(visitor, ["/", "/account/new/", "/session/new/", "/scenarios/dead-cable/", "/no/such/page/"])
    visitor.arrive()
    check(visitor, ["/"])
    visitor.go("/characters/new/")
    file = {"name": "hedda.png", "mimeType": "image/png", "buffer": make.png_card(make.v2())}
    page.get_by_label("Drop a card here").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Read this card").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hedda Quill")
    character = page.url.removeprefix(visitor.address)
    story = visitor.begin()
    visitor.play("A" + "a" * 200 + " long word, and `code` that is " + "wide" * 50)
    pages = ["/", character, "/characters/", "/characters/new/", "/scenarios/vinegar-and-smoke/", "/models/"]
    check(visitor, [*pages, "/account/", story, f"{story}branches/", "/no/such/page/"])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_long_names_of_ones_own_fit(come: Come, narrator: ThreadedFakeProvider, dark: bool) -> None:
    """A name without a blank, as long as one may be, on each page that shows what one keeps for later stories."""
    visitor = come(dark=dark, reduced_motion="reduce")
    page = visitor.page
    visitor.arrive()
    kept = []
    for kind, field, button in (
        ("personas", "Name", "Keep this persona"),
        ("lorebooks", "Name", "Begin an empty one"),
        ("scenarios", "Title", "Keep this scenario"),
    ):
        visitor.go(f"/{kind}/new/")
        page.get_by_label(field, exact=True).fill("W" * 60)
        page.get_by_role("button", name=button).click()
        page.get_by_role("heading", level=1).wait_for()
        kept += [f"/{kind}/", page.url.removeprefix(visitor.address)]
    scenario = kept[-1].removesuffix("edit/?kept")
    page.get_by_role("button", name="Keep them, and add somebody").click()
    page.locator("#more").get_by_label("Name").fill("W" * 60)
    page.get_by_role("button", name="Keep these words").click()
    page.wait_for_url(f"**{scenario}")
    visitor.go("/scenarios/dead-cable/")
    page.get_by_label("You play").select_option(index=1)
    page.get_by_label("W" * 60).check()
    story = visitor.begin(fresh=False)
    check(visitor, [*kept, scenario, "/scenarios/dead-cable/", story, f"{story}stage/", f"{story}names/"])
    visitor.go(scenario)
    page.get_by_role("button", name="Delete this scenario").click()
    page.get_by_role("button", name="Undo").wait_for()
    check(visitor, ["/trash/", "/your-data/", "/your-data/exports/"])


def check(visitor: Visitor, paths: list[str]) -> None:
    page = visitor.page
    cdp = visitor.context.new_cdp_session(page)
    cdp.send("Accessibility.enable")
    for path in paths:
        for width in (360, 390, 768, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            if page.url != visitor.address + path:
                visitor.go(path)
            page.wait_for_load_state()  # a form may have led here just now
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} px wide on a screen of {width}"
        assert page.locator("h1").count() == 1, path
        assert page.locator("main").count() == 1, path
        assert nameless(cdp) == [], path


def nameless(cdp: Any) -> list[str]:
    """Controls and landmarks without an accessible name, from the browser's own accessibility tree."""
    found = []
    for node in cdp.send("Accessibility.getFullAXTree")["nodes"]:
        role = node.get("role", {}).get("value")
        if not node.get("ignored") and role in NAMED and not node.get("name", {}).get("value", "").strip():
            found.append(f"{role} {node.get('properties', [])[:2]}")
    return found
