"""Killed at random moments, the program loses no acknowledged turn, and at most 0.6 s of shown text."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from fakes.provider import Finish, Sleep, ThreadedFakeProvider, Words, words
from system.program import Program, Start, provider_toml, wait_until
from system.visitor import Listener, Visitor

pytestmark = pytest.mark.system

ROUNDS = 25
STORIES = 2
WORDS = 60
WORDS_A_SECOND = 40.0
LOST_SECONDS = 0.6


@pytest.mark.parametrize("half", [1, 2])
def test_fifty_kills(running_program: Start, half: int) -> None:
    """Fifty SIGKILLs, 25 in each half, under two streams each: after a restart on the same data every acknowledged line
    is there, every reply is finished or marked as interrupted, with the text that was shown but for its last 0.6 s."""
    moments = random.Random(half)
    fates: Counter[str] = Counter()
    with ThreadedFakeProvider() as provider:
        provider.always(Sleep(0.05), Words(WORDS, WORDS_A_SECOND), Finish())
        program = running_program(toml=provider_toml(provider.base_url), environ={"FAKE_KEY": "sk-test"})
        ada = Visitor(program)
        ada.sign_up()
        stories = [ada.begin("dead-cable") for _ in range(STORIES)]
        for number in range(ROUNDS):
            lines = {story: f"Line {number} about {moments.randrange(10**9)}." for story in stories}
            streams = {story: ada.play(story, line) for story, line in lines.items()}
            time.sleep(moments.uniform(0.05, 2.2))
            killed = kill(program)
            for stream in streams.values():
                stream.to_end()
            program.start()
            for story in stories:
                fates[check_after_kill(ada, story, lines[story], streams[story], killed)] += 1
        assert [ada.play(story, "And on.").to_end().done for story in stories] == [FINISHED] * STORIES
    assert sum(fates.values()) == ROUNDS * STORIES
    assert fates["interrupted"] >= ROUNDS * STORIES // 2


def test_an_orderly_end_keeps_every_shown_word(running_program: Start) -> None:
    """SIGTERM under running streams: the readers are told, and every word that they have seen is stored."""
    with ThreadedFakeProvider() as provider:
        provider.always(Words(400, WORDS_A_SECOND), Finish())
        program = running_program(toml=provider_toml(provider.base_url), environ={"FAKE_KEY": "sk-test"})
        ada = Visitor(program)
        ada.sign_up()
        streams = [ada.play(ada.begin("dead-cable"), "I wait.") for _ in range(STORIES)]
        wait_until(lambda: all(len(stream.text) > 40 for stream in streams), seconds=10)
        assert program.stop() == 0
        for stream in streams:
            assert (stream.to_end().done or {})["state"] == "interrupted"
        program.start()
        for stream in streams:
            assert stream.begun
            stored = ada.listen(stream.begun["run"]).to_end()
            assert stored.text == stream.text
            assert (stored.done or {})["state"] == "interrupted"


FINISHED = {"state": "finished", "say": None, "retry": False, "retry_after": None}


def kill(program: Program) -> float:
    """Kill the program; the moment, by the monotonic clock."""
    at = time.monotonic()
    program.kill()
    return at


def check_after_kill(visitor: Visitor, story: str, line: str, seen: Listener, killed: float) -> str:
    """What became of a line that was played before the kill: the state of its reply, or `unacknowledged`."""
    if seen.begun is None:
        return "unacknowledged"
    turn, run = seen.begun["turn"]["id"], seen.begun["run"]
    status, page = visitor.get(f"/stories/{story}/turns/{turn}/")
    assert status == 200
    assert line in page
    stored = visitor.listen(run).to_end()
    assert stored.done is not None
    state = str(stored.done["state"])
    assert words(WORDS).startswith(stored.text)
    assert stored.text.startswith(seen.text) or seen.text.startswith(stored.text)
    owed = max((length for at, length in seen.arrivals if at <= killed - LOST_SECONDS), default=0)
    assert len(stored.text) >= owed, (len(stored.text), owed, seen.arrivals, killed)
    if seen.done is not None or state == "finished":
        assert (state, stored.text) == ("finished", words(WORDS))
    else:
        assert state == "interrupted"
        assert "cut off" in stored.done["say"]
        assert stored.done["retry"]
    return state
