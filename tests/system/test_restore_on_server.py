"""The same on PostgreSQL, where the swap is one transaction of the server. Needs a server: TEST_POSTGRES."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from people import PASSPHRASE
from system.program import Program
from system.visitor import Visitor

URL = os.environ.get("TEST_POSTGRES", "")
"""postgresql://user:password@host:port/database, with the right to make databases."""

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not URL or not shutil.which("psql"), reason="no PostgreSQL server (TEST_POSTGRES) or no psql"),
]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    name = f"mindstage_{uuid.uuid4().hex}"
    subprocess.run(["psql", "--quiet", f"--dbname={URL}", f"--command=CREATE DATABASE {name}"], check=True, timeout=30)
    program = Program(
        tmp_path / "instance", {"MINDSTAGE_DATABASE_URL": urlsplit(URL)._replace(path=f"/{name}").geturl()}
    )
    yield program
    program.kill()
    drop = f"--command=DROP DATABASE {name} WITH (FORCE)"
    subprocess.run(["psql", "--quiet", f"--dbname={URL}", drop], check=True, timeout=30)


def test_going_back_to_a_backup_on_a_server(program: Program) -> None:
    """What came after it is gone, what was before is there, and the instance is open."""
    program.start()
    Visitor(program).sign_up("ada")
    assert program.stop() == 0
    assert program.run("backup").returncode == 0
    program.start()
    Visitor(program).sign_up("bert")
    assert program.stop() == 0
    (file,) = (program.folder / "data-backups").glob("*.backup")
    done = program.run("restore", str(file))
    assert done.returncode == 0, done.stdout
    program.start()
    signed_in = [
        Visitor(program).post("/session/new/", {"handle": handle, "passphrase": PASSPHRASE}).status == 302
        for handle in ("ada", "bert")
    ]
    assert signed_in == [True, False]


def test_a_whole_machine_on_a_server_is_refused_in_words(program: Program) -> None:
    """Its files are not ours to swap."""
    program.start()
    assert program.stop() == 0
    refused = program.run("restore", "--machine")
    assert refused.returncode == 1
    assert "PostgreSQL" in refused.stdout
