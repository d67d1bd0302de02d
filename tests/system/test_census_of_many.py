"""What a census of many people meets and one of two does not: time passes between the first visit and the last."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mindstage.ops.census.hoard import DATABASE
from mindstage.ops.census.mailbox import Mailbox
from mindstage.ops.census.narrator import Narrator
from mindstage.ops.census.program import Program
from mindstage.ops.census.visit import Visit
from mindstage.ops.census.words import Words
from system.program import CHEAP

pytestmark = pytest.mark.system


def test_a_visit_goes_on_after_its_proof_has_run_out(tmp_path: Path) -> None:
    """An archive is downloaded only after a fresh proof; 199 others came since the one that it was asked for with."""
    with Narrator() as narrator, Mailbox() as mailbox:
        program = Program(
            tmp_path / "instance", provider=narrator.base_url, provider_key="x", environ=CHEAP, mail=mailbox.address
        )
        program.start()
        try:
            visit = Visit(port=program.port, words=Words(), narrator=narrator, mailbox=mailbox)
            visit.go()
            with closing(sqlite3.connect(program.folder / DATABASE, timeout=10)) as database, database:
                assert database.execute("UPDATE accounts_session SET proof = NULL").rowcount
            visit.go_on()
        finally:
            program.stop()
    assert visit.short_lived
