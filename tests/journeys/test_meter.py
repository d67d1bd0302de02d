"""What the narrator can hold, as the play page shows it of a real story."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from fakes.provider import Finish, ThreadedFakeProvider, Words
from journeys.visitor import Visitor, meter_on

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
TURNS = "Turns"


def test_the_parts_add_up_to_the_context(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """The parts on the page and what is free are the whole context, in the list as in the bar for screen readers; a
    turn makes the turns grow by itself, a reload changes nothing."""
    page = player.page
    page.get_by_role("tab", name="Context").click()
    expect(page.locator("#meter")).to_contain_text("tokens for the next turn")
    before = meter_on(page)
    assert sum(before.parts.values()) == before.context
    assert before.used == before.context - before.parts["Free, and kept for the reply"]
    narrator.play(Words(120), Finish())
    player.play("I count the bells that are left.")
    expect(page.locator("#meter li", has_text=TURNS)).not_to_contain_text(f"{before.parts[TURNS]:,}")
    after = meter_on(page)
    assert sum(after.parts.values()) == after.context == before.context
    assert after.parts[TURNS] > before.parts[TURNS] + 120
    bar = page.locator("#meter svg").get_attribute("aria-label") or ""
    shown = {name: int(count.replace(",", "")) for name, count in re.findall(r"(?:^|, )(\D+) (\d+(?:,\d{3})*)", bar)}
    assert {name: count for name, count in shown.items() if count} == after.parts
    page.reload()
    page.get_by_role("tab", name="Context").click()
    expect(page.locator("#meter")).to_contain_text("tokens for the next turn")
    assert meter_on(page) == after
