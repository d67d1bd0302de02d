"""Words of a model or of a card can do nothing in the browser: no script, no request, no link that opens by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from fakes.provider import Finish, Text, ThreadedFakeProvider
from journeys.conftest import Come
from journeys.visitor import Visitor, last, prose
from library import card_makers as make

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

HOSTILE = """The sign reads:

<script>window.broken = 1</script>
<img src=x onerror="window.broken = 2">
<svg onload="window.broken = 3"><a href="https://tracker.example/a">here</a></svg>
<iframe src="https://tracker.example/b"></iframe><link rel=stylesheet href="https://tracker.example/c.css">
<style>body { background: url(https://tracker.example/d) }</style>

![a picture](https://tracker.example/e.png) ![inline](data:image/png;base64,AAAA)

[run](javascript:window.broken=4) [data](data:text/html,<script>window.broken=5</script>) [map](https://maps.example/v)

<p style="position:fixed;inset:0">over everything</p> <form action="https://tracker.example/f"><button>Go</button></form>

and nothing else."""


def nothing_happened(page: Page) -> None:
    """No script of the text ran, and no element of it came to be."""
    assert page.evaluate("window.broken") is None
    foreign = "img, script, iframe, svg:not([aria-hidden]), style, link, form, a[href]"
    assert page.locator(".prose").locator(foreign).count() == 0
    assert page.locator(".prose [style], .prose [onerror], .prose [onload]").count() == 0


def test_a_hostile_reply_is_only_text(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """While it streams, as saved, and after a reload: the words are there and none of them does anything."""
    page = player.page
    parts = [Text(HOSTILE[at : at + 40]) for at in range(0, len(HOSTILE), 40)]
    narrator.play(*parts, Finish())
    reply = player.play("I read the sign.")
    expect(reply).to_contain_text("and nothing else.")
    nothing_happened(page)
    assert "<script>window.broken = 1</script>" in prose(reply)
    page.reload()
    nothing_happened(page)
    narrator.play(Text("Go on."), Finish())
    player.play(HOSTILE)
    nothing_happened(page)
    player.go("/")
    nothing_happened(page)
    assert not [url for url in player.watch.asked if "example" in url]


def test_a_link_needs_a_second_deliberate_click(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """The first click shows the address, Stay here closes it; only the link in the dialog leads out."""
    page = player.page
    narrator.play(Text("Here is [the map](https://maps.example/v) and [a trap](javascript:alert(1))."), Finish())
    reply = player.play("I ask for the map.")
    reply.get_by_role("button", name="the map").click()
    dialog = page.get_by_role("dialog", name="This link leaves Mindstage")
    expect(dialog).to_contain_text("https://maps.example/v")
    way_out = dialog.get_by_role("link")
    assert way_out.get_attribute("href") == "https://maps.example/v"
    assert {"noopener", "noreferrer"} <= set((way_out.get_attribute("rel") or "").split())
    dialog.get_by_role("button", name="Stay here").click()
    expect(dialog).to_be_hidden()
    assert len(player.context.pages) == 1
    expect(last(page).locator(".prose")).to_contain_text("a trap")
    assert last(page).locator(".prose [data-href]").count() == 1


def test_a_hostile_card_is_only_text(come: Come, narrator: ThreadedFakeProvider) -> None:
    """Every text of a card, on every page that shows it."""
    visitor = come()
    visitor.sign_up()
    card = make.v2(
        name="<img src=x onerror=window.broken=6>",
        description=HOSTILE, personality=HOSTILE, scenario=HOSTILE, first_mes=HOSTILE, creator_notes=HOSTILE,
        alternate_greetings=[HOSTILE], tags=["<script>window.broken=7</script>"],
        creator='"><script>window.broken=8</script>',
    )  # fmt: skip
    page = visitor.go("/characters/new/")
    file = {"name": "<b>x.json", "mimeType": "application/json", "buffer": make.to_json(card)}
    page.get_by_label("Drop a card here").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Read this card").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=window.broken=6>")
    nothing_happened(page)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/stories/*/")
    expect(page.locator("#turns")).to_contain_text("and nothing else.")
    nothing_happened(page)
    for path in ("/", "/characters/"):
        visitor.go(path)
        expect(page.locator("body")).to_contain_text("<img src=x onerror=window.broken=6>")
        nothing_happened(page)


def test_the_watch_would_see_it(come: Come) -> None:
    """The control: what the other tests look for is noticed when it does happen."""
    visitor = come()
    page = visitor.go("/")
    page.evaluate("fetch('https://elsewhere.example/').catch(() => 0)")
    page.evaluate(
        "() => { const s = document.createElement('script'); try { s.text = 'window.broken = 9'; } catch {} }"
    )
    page.evaluate("() => { const image = new Image(); image.src = 'https://elsewhere.example/i.png'; }")
    page.evaluate("setTimeout(() => { throw new Error('on purpose'); })")
    page.wait_for_timeout(200)
    told = "\n".join(visitor.watch.complaints)
    for expected in ("connect-src", "img-src", "require-trusted-types-for", "on purpose"):
        assert expected in told
    visitor.watch.complaints.clear()
    visitor.watch.asked.clear()
