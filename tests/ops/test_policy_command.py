"""`mindstage policy`: what a developer and an operator type."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from mindstage.datamap import releases
from mindstage.ops.commands import policy
from mindstage.ops.mistakes import StartMistake
from publishing import Press, press  # noqa: F401 - a fixture


def run(*words: str, **facts: Any) -> int:
    parser = argparse.ArgumentParser()
    policy.add_arguments(parser)
    return policy.run(parser.parse_args(words), replace(settings.MINDSTAGE, **facts))


@pytest.fixture
def desk(press: Press, monkeypatch: pytest.MonkeyPatch) -> Press:  # noqa: F811
    """A developer's copy: one released version, and nothing announced."""
    press.coming.write_text(releases.NO_CHANGES)
    monkeypatch.setattr(releases, "COMING", press.coming)
    monkeypatch.setattr(policy, "present", lambda: press.now)
    monkeypatch.setattr(releases, "present", lambda: press.now)
    monkeypatch.setattr(
        policy,
        "write_release",
        lambda made: releases.write_release(made, folder=press.folder, coming_file=press.coming),
    )
    return press


def test_a_release_gives_number_date_and_difference(desk: Press, capsys: pytest.CaptureFixture[str]) -> None:
    """It refuses what is not announced, tells what it would do, does it, and has then nothing to do."""
    reasons = ["advertise", *desk.now["entry"]["story"]["opened_for"]]
    desk.change("entry", "story", purpose="dpv:Marketing", opened_for=reasons)
    with pytest.raises(StartMistake, match="nobody is told"):
        run("release")
    desk.coming.write_text('[[change]]\nof = ["entry:story"]\nsays = "Stories sell things."\n')
    assert run("release", "--dry-run") == 0
    assert "Nothing was written" in capsys.readouterr().out
    assert not (desk.folder / "2.json").exists()
    assert run("release") == 0
    said = capsys.readouterr().out
    assert said.startswith("Version 2, made on ")
    for part in ("in force from", "Stories sell things.", "changed  entry:story purpose", "+ dpv:Marketing", "2.json"):
        assert part in said
    assert "Everybody is asked again" in said
    with pytest.raises(StartMistake, match="Nothing has changed"):
        run("release")


def test_a_release_that_would_hold_too_soon(desk: Press) -> None:
    """--effective is checked; nothing is written."""
    desk.change("entry", "story", purpose="dpv:Marketing")
    desk.coming.write_text('[[change]]\nof = ["entry:story"]\nsays = "Stories sell things."\n')
    with pytest.raises(StartMistake, match="30 days"):
        run("release", "--effective", "2020-01-01")
    assert not (desk.folder / "2.json").exists()


def test_the_difference(desk: Press, capsys: pytest.CaptureFixture[str]) -> None:
    """Since the last version, or between two of them, for people and for programs."""
    run("diff")
    assert capsys.readouterr().out == "Nothing differs.\n"
    desk.change("entry", "story", purpose="dpv:Marketing")
    run("diff", "--json")
    assert [found["of"] for found in json.loads(capsys.readouterr().out)] == ["entry:story"]
    run("diff", "1", "1")
    assert capsys.readouterr().out == "Nothing differs.\n"
    with pytest.raises(StartMistake, match="versions 1 to 1"):
        run("diff", "7")


def test_the_record(desk: Press, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Markdown for people, JSON for programs, with the operator's facts."""
    run("record", operator="Harbour", region="Finland")
    assert "* Controller: Harbour\n" in capsys.readouterr().out
    run("record", "--json", operator="Harbour", region="Finland")
    assert json.loads(capsys.readouterr().out)["region"] == "Finland"
