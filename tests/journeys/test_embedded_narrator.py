"""The journey with the real model: nothing configured, nothing installed by hand, nothing but this machine."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from journeys.conftest import Come
from journeys.visitor import meter_on, prose
from mindstage.gateway.ai_models.catalogue import SMOLLM2, locate
from system.program import Start

pytestmark = [
    pytest.mark.browser,
    pytest.mark.narrator,
    pytest.mark.xdist_group("narrator"),
    pytest.mark.skipif(locate(SMOLLM2, models_dir=Path("/nowhere")) is None, reason="SmolLM2 is not installed"),
]
PATIENCE = 90_000  # milliseconds: the model is loaded on first use, on two slow cores
LINES = ("I put my hand flat on the bell and listen.", "I ask Marit about the clapper.", "I pick up the pliers.")
GROWING = """() => {
    const words = document.querySelector("#turns > .turn[aria-busy=true] .prose")?.textContent.trim() ?? "";
    const resting = document.querySelector("turn-composer").dataset.now === "rest";
    if (words.length > (window.heard ?? 0) || resting) { window.heard = words.length; return [words.length, resting]; }
    return null;
}"""

COLLECT_PROGRESS = """() => {
    window.told = [];
    new MutationObserver(() => {
        const note = document.querySelector(".waking");
        if (note) window.told.push([note.querySelector("p").textContent, note.querySelector("progress").ariaLabel]);
    }).observe(document.getElementById("turns"), { childList: true, characterData: true, subtree: true });
}"""


def test_three_turns_on_this_machine(
    come: Come, running_program: Start, record_property: pytest.RecordProperty
) -> None:
    """A stranger plays three turns with the model of this machine; the page says how small it is and that it wakes on
    first use, the text grows while it is written, and the meter adds up to what the model holds."""
    visitor = come(running_program(name="embedded").address)
    page = visitor.go("/")
    expect(page.locator(".strip .cover")).to_have_count(6)
    page.get_by_role("link", name="Make an account").first.click()
    visitor.sign_up()
    visitor.begin()
    expect(page.locator(".disclose")).to_contain_text("SmolLM2 on this machine · nothing leaves")
    expect(page.locator(".demo-note")).to_contain_text("tiny demo model")
    expect(page.locator(".demo-note").get_by_role("link", name="A better one")).to_be_visible()
    page.evaluate(COLLECT_PROGRESS)
    grown: list[int] = []
    for number, line in enumerate(LINES, start=1):
        visitor.write(line)
        page.keyboard.press("Enter")
        first_word, samples = listen(page)
        reply = visitor.hear(patience=PATIENCE)
        grown.append(len(samples))
        assert len(prose(reply)) > 20
        expect(page.locator("#turns > .turn")).to_have_count(1 + 2 * number)
        record_property(f"first word of turn {number}, seconds", round(first_word, 2))
        told = page.evaluate("window.told.splice(0)")
        assert all(words == label for words, label in told)
        assert number > 1 or any(words.startswith("Waking the narrator") for words, _ in told), told
        print(f"turn {number}: first word after {first_word:.2f} s, grew {len(samples)} times")
    assert max(grown) >= 2, f"every reply came all at once: {grown}"  # one may be short, or the machine busy
    page.get_by_role("tab", name="Context").click()
    expect(page.locator("#p-context")).to_contain_text("tiny demo model")
    meter = meter_on(page)
    assert sum(meter.parts.values()) == meter.context
    assert meter.used + meter.parts["Free, and kept for the reply"] == meter.context


def listen(page: Page) -> tuple[float, list[int]]:
    """Seconds to the first word, and the lengths that the reply had while it grew."""
    page.evaluate("() => { window.heard = 0; }")
    began, first, samples = time.monotonic(), 0.0, []
    expect(page.locator("turn-composer")).not_to_have_attribute("data-now", "rest")
    while True:
        length, resting = page.wait_for_function(GROWING, timeout=PATIENCE).json_value()
        if resting:
            return first, samples
        first = first or time.monotonic() - began
        samples.append(length)
