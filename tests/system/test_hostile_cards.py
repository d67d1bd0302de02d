"""Files that are made to do harm, posted to the running program: it lives, stays small, and serves the next page."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from library import card_makers as make
from mindstage.config.bodies import CARD_BODY_BYTES
from system.program import Program
from system.visitor import Visitor

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("hostile-cards")]

MIB = 1024 * 1024
GROWTH = 200 * MIB
"""What handling 20 MB once may leave behind, copies of the body and of its parts included."""


def hostile_files() -> dict[str, bytes]:
    bomb, deep = make.bomb(1_000), b"[" * 2_000_000 + b"]" * 2_000_000
    return {
        "a packed text of a gigabyte": make.png(make.chunk(b"zTXt", b"chara\0\0" + bomb)),
        "the same in an international text": make.png(make.chunk(b"iTXt", b"chara\0\1\0\0\0" + bomb)),
        "a text of 10 MB": make.png(make.chunk(b"tEXt", b"chara\0" + b"A" * 10_000_000)),
        "a picture of four gigapixels": make.png(make.text_chunk(make.v2()), width=65_535, height=65_535),
        "JSON nested two million deep": b'{"spec": "chara_card_v2", "data": ' + deep + b"}",
        "as large as a body may be": make.SIGNATURE + bytes(CARD_BODY_BYTES - 2_000),
    }


@contextmanager
def unharmed(program: Program, *, growth: int) -> Iterator[None]:
    """The same process serves pages afterwards, and has not grown by more than this many bytes at its largest."""
    process = psutil.Process(program.pid)
    before = process.memory_info().rss
    born = process.create_time()
    yield
    assert psutil.Process(program.pid).create_time() == born
    assert peak_of(program.pid) - before < growth
    assert program.get("/")[0] == 200


def peak_of(pid: int) -> int:
    """The most memory that a process ever held, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def test_no_card_ends_the_program(running_program: Callable[..., Program]) -> None:
    """Decompression bombs, huge chunks and deep JSON are refused with a sentence, and a good card is taken next."""
    program = running_program()
    visitor = Visitor(program)
    visitor.sign_up()
    with unharmed(program, growth=GROWTH):
        for what, data in hostile_files().items():
            status, page = visitor.bring_card("card.png", data)
            assert status in (413, 422), what
            assert "Nothing was imported" in page, what
    assert visitor.bring_card("card.json", json.dumps(make.v2()).encode())[0] == 302


def test_strangers_fill_no_memory(running_program: Callable[..., Program]) -> None:
    """Large bodies of people who are not signed in are refused at once, and none of it is read."""
    program = running_program()
    held = []
    with unharmed(program, growth=40 * MIB):
        for _ in range(40):
            connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
            connection.putrequest("POST", "/characters/")
            connection.putheader("Content-Length", str(CARD_BODY_BYTES))
            connection.endheaders(bytes(MIB // 4))
            held.append(connection)
        answers = [connection.getresponse() for connection in held]
        assert {answer.status for answer in answers} == {401}
        assert all(b"You are not logged in" in answer.read() for answer in answers)
    for connection in held:
        connection.close()
