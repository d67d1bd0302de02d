"""The end of the model's process comes, whoever holds its pipes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from mindstage.gateway.embedded.process import ModelProcess

# Its own child inherits stdout, says its number there, and stays.
WITH_A_CHILD = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"])
"""
GOES = WITH_A_CHILD + "sys.stdin.read()"
STAYS = WITH_A_CHILD + "import time; time.sleep(600)"


@pytest.mark.parametrize("program", [GOES, STAYS], ids=["goes", "stays"])
async def test_a_pipe_that_somebody_holds_keeps_nobody_waiting(program: str) -> None:
    """It goes by itself or is killed; its pipe stays open meanwhile, and the next reply does not wait for that."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=pipe, stdout=pipe)
    assert process.stdout
    holder = int(await asyncio.wait_for(process.stdout.readline(), 60))
    ended = ModelProcess("", "", process)
    try:
        async with asyncio.timeout(60):
            await ended.end(within=1.0)
        assert not ended.lives
        assert not process.stdout.at_eof()
    finally:
        os.kill(holder, signal.SIGKILL)
        await asyncio.wait_for(process.stdout.read(), 60)
