"""What the census keeps for later stories: a persona, a lorebook out of a file, a scenario; corrected, and used."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from mindstage.ops.census.browser import Browser
from mindstage.ops.census.words import Fate, Words

_PERSONA: Final = re.compile(r'href="(/personas/[0-9a-f-]{36}/)edit/"')


def keep_materials(browser: Browser, words: Words, story: str) -> None:
    """By the pages, as a person would. `story`: the address of one whose stage is kept. Raises Unexpected."""

    def word(slot: str, fate: Fate = Fate.SEALED) -> str:
        return words.plant(slot, fate, shown=fate is Fate.SEALED)

    browser.get("/personas/new/")
    browser.post("/personas/", {"name": "", "about": word("persona that was refused", Fate.NEVER)}, expect=422)
    about = f"Who is {word('persona, about')}"
    browser.post("/personas/", {"name": word("persona, name"), "about": about})
    persona = _first(_PERSONA, browser.get("/personas/").body.decode())
    browser.get(f"{persona}edit/")
    browser.post(f"{persona}edit/", {"text.about": f"{about} and {word('persona, about, corrected')}"})
    browser.get(f"{persona}edit/")
    before = words.plant("lorebook, content before it was corrected", Fate.PASSING)
    book = {"name": word("lorebook, name"), "entries": [{"keys": [word("lorebook, key")], "content": before}]}
    file = {"spec": "lorebook_v3", "data": book}
    name = f"{words.plant('name of a lorebook file', Fate.NEVER, plain=True)}.json"
    browser.upload("/lorebooks/", b"[]", field_name="book", file_name=name, expect=422)
    brought = browser.upload(
        "/lorebooks/", json.dumps(file).encode(), field_name="book", file_name=name, expect=302
    ).location
    browser.post(brought, {"text.entries.0.content": f"It is {word('lorebook, content, corrected')}."})
    browser.get(brought)
    browser.get(brought.replace("/edit/", "/file/"))
    browser.get(browser.post(f"{story}lorebook/", {}).location)
    scenario = browser.post(f"{story}scenario/", {}).location
    browser.get(scenario)
    browser.post(f"{scenario}edit/", {"text.premise": f"All of it is {word('scenario, premise')}"})
    browser.get(scenario)
    _write_scenario(browser, word)
    for page, slot in (("/scenarios/dead-cable/", "a scenario’s page"), (scenario, "the page of an own scenario")):
        browser.post(page, {"persona": word(f"name typed on {slot}", Fate.NEVER)}, expect=200)
    begun = {"own_scenario": scenario.split("/")[2], "greeting": "0", "as": persona.split("/")[2]}
    browser.get(browser.post("/stories/", begun | {"books": brought.split("/")[2]}).location)


def _write_scenario(browser: Browser, word: Callable[[str], str]) -> None:
    """One by hand, with somebody in it and a piece of lore."""
    texts = {name: word(f"scenario by hand, {name}") for name in ("name", "byline", "premise", "opening")}
    there = browser.post("/scenarios/", texts).location
    browser.post(there, {"one_more": "cast"})
    role = {"text.cast.0.name": word("scenario by hand, cast"), "text.roles.0.line": word("scenario by hand, line")}
    browser.post(there, role | {"one_more": "lore"})
    browser.post(there, {"text.lore.0.keys": word("scenario by hand, key"), "text.lore.0.content": "x"})
    browser.get(there)


def _first(what: re.Pattern[str], page: str) -> str:
    found = what.search(page)
    assert found is not None, "a list of the census lacks what was just made"
    return found[1]
