"""The raw plane, which Django's middleware does not guard, is shut in the same way."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from doors.addresses import STREAMS
from doors.house import House, everything
from mindstage.accounts.sessions import begin_session
from mindstage.stories.database_thread import start_database_thread, stop_database_thread
from mindstage.stories.endpoint import StreamPlane
from mindstage.stories.generation import Narration
from mindstage.streaming.bus import Bus

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)


@pytest.fixture
def plane(house: House) -> Iterator[StreamPlane]:
    database = start_database_thread()
    yield StreamPlane(Narration(bus=Bus(), database=database))
    stop_database_thread()


def stream(
    plane: StreamPlane,
    method: str,
    path: str,
    *,
    cookie: str = "",
    body: bytes = b"{}",
    leaves: bool = False,
    **more: str,
) -> int:
    """The status of the raw plane's answer. `leaves`: before the body has come."""
    headers = {"host": "localhost", "cookie": f"session={cookie}", "sec-fetch-site": "same-origin"} | {
        name.replace("_", "-"): value for name, value in more.items()
    }
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        if leaves:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        statuses.extend([message["status"]] if message["type"] == "http.response.start" else [])

    asyncio.run(plane(scope, receive, send))
    return statuses[0]


def raw_requests(house: House) -> Iterator[tuple[str, str, bytes]]:
    """Every route of the raw plane with Ada's identifiers, and a body that would do something."""
    asked = f'"client_turn_id": "{uuid.uuid4()}"'
    bodies = {
        "turns": f'{{"mode": "do", "text": "I knock.", {asked}}}',
        "replies": f'{{"act": "regenerate", "turn": "{house.reply.pk}", {asked}}}',
    }
    for method, kind, *rest in sorted(STREAMS):
        ident = house.story.pk if kind == "stories" else house.reply.pk
        path = "/".join(["/stream", kind, str(ident), *rest[1:]])
        yield method, path, bodies.get(rest[-1], "{}").encode()


def test_the_raw_plane_is_shut_to_strangers(house: House, plane: StreamPlane) -> None:
    """No session: 401. A made-up one: 401. Any other path: 404."""
    before = everything()
    for method, path, body in raw_requests(house):
        assert stream(plane, method, path, body=body) == 401, path
        assert stream(plane, method, path, body=body, cookie="made-up") == 401, path
    for path in ("/stream/", "/stream/stories", f"/stream/stories/{house.story.pk}", "/stream/runs/x"):
        assert stream(plane, "GET", path) == 404
    assert everything() == before


def test_who_leaves_before_the_body_has_come_changes_nothing(house: House, plane: StreamPlane) -> None:
    """A tab that is closed while a line is on its way, also while its session is asked for: no turn and no reply."""
    ada = begin_session(house.ada, "computer")
    before = everything()
    for method, path, body in raw_requests(house):
        if method == "POST" and not path.endswith("/stop"):
            assert stream(plane, method, path, body=body, cookie=ada, leaves=True) == 400, path
    assert everything() == before


def test_the_raw_plane_knows_whose_story_it_is(house: House, plane: StreamPlane) -> None:
    """Cleo: 404 for each of Ada's, also inside her own story; a page of another site: 403, even with Ada's cookie."""
    before = everything()
    cleo, ada = begin_session(house.cleo, "computer"), begin_session(house.ada, "computer")
    rows = len(everything())
    for method, path, body in raw_requests(house):
        assert stream(plane, method, path, body=body, cookie=cleo) == 404, path
        for more in ({"origin": "https://elsewhere.example"}, {"sec_fetch_site": "cross-site"}):
            if method == "POST" or "origin" in more:
                assert stream(plane, method, path, body=body, cookie=ada, **more) == 403, path
        assert stream(plane, method, path, body=body, cookie=ada, host="elsewhere.example") == 400, path
    body = f'{{"act": "regenerate", "turn": "{house.reply.pk}", "client_turn_id": "{uuid.uuid4()}"}}'.encode()
    assert stream(plane, "POST", f"/stream/stories/{house.cleos_story.pk}/replies", body=body, cookie=cleo) == 404
    assert len(everything()) == rows
    assert [row for row in before if row not in everything()] == []
