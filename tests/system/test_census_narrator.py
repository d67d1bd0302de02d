"""The embedded narrator, whose place a provider takes in a census: it writes nothing down either."""

from __future__ import annotations

import re
import uuid
from html import unescape
from pathlib import Path

import pytest

from mindstage.datamap.scanner import Scanner
from mindstage.gateway.ai_models.catalogue import SMOLLM2, locate
from mindstage.library.starters import starters
from mindstage.ops.census.browser import Browser
from mindstage.ops.census.places import sweep
from mindstage.ops.census.program import Program as CensusProgram
from mindstage.ops.census.words import make_word

pytestmark = pytest.mark.system


@pytest.mark.narrator
@pytest.mark.skipif(locate(SMOLLM2, models_dir=Path("/nowhere")) is None, reason="SmolLM2 is not installed")
def test_the_embedded_narrator_writes_nothing_down(tmp_path: Path) -> None:
    """What it reads and what it says is in no file, log or temporary file, of its own process too."""
    words = [make_word() for _ in range(3)]
    program = CensusProgram(tmp_path / "instance", provider="", provider_key="", environ={})
    program.start()
    try:
        browser = Browser(program.port, headers={})
        browser.get("/account/new/")
        form = {"handle": words[0], "passphrase": "velvet ferry moth", "age_band": "18_plus"}
        browser.post("/account/new/", form)
        browser.get("/")
        starter = {"scenario": starters()[0].slug, "greeting": "0", "persona": words[1]}
        story = browser.post("/stories/", starter).location
        turn = {"mode": "do", "text": f"I say {words[2]} and wait.", "client_turn_id": str(uuid.uuid4())}
        reply = browser.play(f"/stream{story}turns", turn)["reply"]["id"]
        page = unescape(browser.get(story).body.decode()).partition(f'id="e-{reply}"')[2]
        said = re.findall(r"[^\n]{20,40}", page.partition("<textarea")[2].partition("</textarea>")[0].partition(">")[2])
        assert said
        scanner = Scanner([*words, *said])
        assert sweep(program.folder, scanner).found == set()
    finally:
        program.stop()
    assert sweep(program.folder, scanner).found == set()
