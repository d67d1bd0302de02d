"""The operating system lets the running program write no more: it says so, loses nothing, and goes on when it may."""

from __future__ import annotations

import resource

import pytest

from fakes.provider import Finish, ThreadedFakeProvider, Words, words
from system.program import Start, provider_toml, wait_until
from system.visitor import Visitor

pytestmark = pytest.mark.system


def test_no_file_may_grow(running_program: Start) -> None:
    """With the write-ahead log at its limit a turn is refused with 503 and a sentence, pages still open, nothing that
    was acknowledged is gone; when the limit is lifted the story goes on without a restart."""
    with ThreadedFakeProvider() as provider:
        provider.always(Words(20), Finish())
        program = running_program(toml=provider_toml(provider.base_url), environ={"FAKE_KEY": "sk-test"})
        ada = Visitor(program)
        ada.sign_up()
        story = ada.begin("dead-cable")
        first = ada.play(story, "The first line.").to_end()
        assert (first.done or {})["state"] == "finished"
        log = program.data / "database" / "mindstage.sqlite3-wal"
        was = resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, resource.RLIM_INFINITY))
        try:
            refused = [ada.play(story, f"{number} " + "x" * 9_000).to_end() for number in range(3)]
            assert [stream.status for stream in refused] == [503] * 3
            status, page = ada.get(f"/stories/{story}/")
            assert (status, "The first line." in page, "xxxx" in page) == (200, True, False)
        finally:
            resource.prlimit(program.pid, resource.RLIMIT_FSIZE, was)
        again = ada.play(story, "And on.").to_end()
        assert (again.done or {})["state"] == "finished"
        assert again.text == words(20)
        assert (again.begun or {})["turn"]["position"] == 3
        wait_until(lambda: "And on." in ada.get(f"/stories/{story}/")[1], seconds=5)
        program.kill()
        program.start()
        page = ada.get(f"/stories/{story}/")[1]
        assert "The first line." in page
        assert "And on." in page
        assert "xxxx" not in page
