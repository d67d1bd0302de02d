"""Twenty clients post into one story of the running program at once."""

from __future__ import annotations

import re
import uuid

import pytest

from fakes.provider import Finish, ThreadedFakeProvider, Words, words
from system.program import Start, provider_toml
from system.visitor import Visitor

pytestmark = pytest.mark.system


def test_count_and_order_hold(running_program: Start) -> None:
    """Each line is stored once or refused with 409 and sent again; on the page all stand in the order of their places,
    each before its own reply."""
    with ThreadedFakeProvider() as provider:
        provider.always(Words(3), Finish())
        program = running_program(toml=provider_toml(provider.base_url), environ={"FAKE_KEY": "sk-test"})
        ada = Visitor(program)
        ada.sign_up()
        story = ada.begin("dead-cable")
        waiting = {f"Line number {number:02}.": uuid.uuid4() for number in range(20)}
        placed: dict[int, str] = {}
        while waiting:
            streams = {line: ada.play(story, line, client_id=client_id) for line, client_id in waiting.items()}
            before = len(placed)
            for line, stream in streams.items():
                assert stream.to_end().status in (200, 409)
                if stream.begun and stream.begun["turn"]:
                    assert stream.text == words(3)
                    placed[stream.begun["turn"]["position"]] = line
                    del waiting[line]
            assert len(placed) > before
        assert sorted(placed) == list(range(1, 41, 2))
        page = ada.get(f"/stories/{story}/")[1]
        assert re.findall(r"<p>(Line number \d\d\.|w0 w1 w2)</p>", page) == [
            said for position in sorted(placed) for said in (placed[position], words(3))
        ]
        assert len(provider.requests) == 20
