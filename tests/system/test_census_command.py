"""The command that takes a census."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mindstage.ledger.signed import check_json

pytestmark = pytest.mark.system


def test_the_command(tmp_path: Path) -> None:
    """It ends with 0, keeps what it looked at, and its report is verified; a folder that is there is refused."""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    python = [sys.executable, "-m", "mindstage"]
    command = [*python, "census", "--no-erasure", "--json", "--keep", str(tmp_path / "kept")]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    signed = json.loads(done.stdout)
    report = check_json(done.stdout.encode(), key=signed["signature"]["key"])
    assert (report["result"], report["erased"]) == ("clean", 0)
    (tmp_path / "census.json").write_text(done.stdout)
    (tmp_path / "key").write_text(signed["signature"]["key"])
    verify = [*python, "receipt", "verify", str(tmp_path / "census.json"), "--key", str(tmp_path / "key")]
    said = subprocess.run(verify, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr
    assert "Its result: clean; 0 of 2 people were erased" in said.stdout
    assert len(report["words"]) > 80
    assert (tmp_path / "kept" / "instance" / "data" / "database" / "mindstage.sqlite3").exists()
    again = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (again.returncode, len(again.stderr.splitlines())) == (2, 1)
