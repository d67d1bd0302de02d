"""What the stream plane takes in before it knows who sends it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mindstage.stories.endpoint import BODY_BYTES
from mindstage.streaming.raw import ANYBODYS_BYTES
from stories.house import OURS, House
from stories.scenes import Player, make_story, new_id, texts_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])

PIECE = 16 * 1024


def send_without_end(house: House, act: str, cookie: str) -> tuple[int, int]:
    """One that sends piece after piece: the status of the answer, and the bytes that were taken from it."""
    taken, sent = 0, list[Any]()

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += PIECE
        return {"type": "http.request", "body": b"x" * PIECE, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/stream/stories/{new_id()}/{act}",
        "query_string": b"",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in {**OURS, "cookie": cookie}.items()],
    }
    house.run(house.plane(scope, receive, send))
    return sent[0]["status"], taken


@pytest.mark.parametrize("act", ["turns", "replies"])
@pytest.mark.parametrize("cookie", ["", "session=made-up"])
def test_a_stranger_sends_nothing_long(house: House, act: str, cookie: str) -> None:
    """No more is held for somebody who is not signed in than on any page."""
    status, taken = send_without_end(house, act, cookie)
    assert status == 401
    assert taken <= ANYBODYS_BYTES + PIECE


def test_a_person_sends_as_much_as_a_turn_may_have(house: House, player: Player) -> None:
    """A long line comes in however it is escaped; more than that is refused with the old limit."""
    story = make_story(player.account)
    line = "\u00e9" * 15_000
    content = json.dumps({"mode": "do", "text": line, "client_turn_id": str(new_id())}).encode()
    assert len(content) > ANYBODYS_BYTES
    assert house.ask("POST", f"/stream/stories/{story.pk}/turns", player, raw=content).to_end().status == 200
    assert line in texts_of(story)
    status, taken = send_without_end(house, "turns", f"session={player.cookie}")
    assert status == 413
    assert taken <= BODY_BYTES + PIECE
