"""The program as people start it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from system.program import Program, Start, wait_until

pytestmark = pytest.mark.system


def test_first_page_and_health(running_program: Start) -> None:
    """The first page, its styles and /healthz are there when the program says so; nothing of it is cached in clear."""
    program = running_program(from_nothing=True)
    assert program.get("/healthz") == (200, b'{"ready": true}')
    status, page = program.get("/")
    assert status == 200
    assert b"<html" in page
    style = re.search(rb'href="(/static/[^"]+\.css[^"]*)"', page)
    assert style
    assert program.get(style[1].decode())[0] == 200


def test_the_owner_link_opens_a_page_and_another_does_not(running_program: Start) -> None:
    """The printed link leads to the sign-up of the owner; a guessed one leads nowhere."""
    program = running_program(afresh=True)
    assert program.owner_path
    assert program.get(program.owner_path)[0] in (200, 302)
    assert program.get("/owner/guessed/")[0] == 404


def test_the_clocks_ring(running_program: Start) -> None:
    """The worker of the running program has claimed every clock of the schedule."""
    from mindstage.config.schedule import CLOCKS
    from mindstage.ops.reading_files import read_rows

    program = running_program(afresh=True)
    place = type("Place", (), {"database_url": "", "database_file": program.data / "database" / "mindstage.sqlite3"})
    ask = "SELECT COUNT(*) FROM ops_tick WHERE due_at > datetime('now')"
    wait_until(lambda: read_rows(place, "default", ask) == [(len(CLOCKS),)], seconds=20)  # type: ignore[arg-type]
    assert "failed" not in program.said()


def test_doctor_sees_a_running_program(running_program: Start) -> None:
    """The doctor finds no mistake in a running instance, and that it answers."""
    program = running_program(afresh=True)
    done = program.run("doctor", "--json", "--port", str(program.port))
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert [finding for finding in findings.values() if finding["level"] == "mistake"] == []
    assert done.returncode == 0
    assert "answers" in findings["port"]["sentence"]


@pytest.mark.parametrize("toml", ["host = ", "retention = 5", 'mail = "ftp://here"'])
def test_doctor_of_an_unreadable_configuration(instance: Program, toml: str) -> None:
    """A configuration that cannot be read is the doctor's one finding, also as JSON, whoever finds it out."""
    instance.toml = toml
    done = instance.run("doctor", "--json")
    assert done.returncode == 2
    assert [finding["level"] for finding in json.loads(done.stdout)] == ["mistake"]


def test_the_log_says_nothing_of_people(running_program: Start) -> None:
    """No request line, address of a page or client stands in what the program prints."""
    program = running_program(afresh=True)
    program.get("/no-such-page-of-anybody/")
    program.get("/account/new/?handle=somebody")
    program.stop()
    assert "somebody" not in program.said()
    assert "anybody" not in program.said()
    assert "GET" not in program.said()


def test_help_names_every_command(instance: Program) -> None:
    """`mindstage --help` lists the table of commands, and serving.md describes each."""
    from mindstage.__main__ import COMMANDS

    said = instance.run("--help").stdout
    page = (Path(__file__).parents[2] / "docs" / "subsystems" / "serving.md").read_text()
    for name in COMMANDS:
        assert name in said
        assert f"mindstage {name}" in page
