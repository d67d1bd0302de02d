"""The one narrator of this machine is shared: nobody gets it for themselves by asking often."""

from __future__ import annotations

import asyncio
from typing import Any

from mindstage.gateway.embedded.narrator import Asked, Narrator
from mindstage.gateway.providers.completions import Finish

ASKED = Asked((("user", "Hello."),), 1, (), {})


class Noting(Narrator):
    """Answers at once, and notes for whom."""

    def __init__(self) -> None:
        super().__init__(None, context=256)
        self.told: list[str] = []

    async def _tell(self, asked: Asked, *, person: str, **_: Any) -> Finish:
        self.told.append(person)
        await asyncio.sleep(0)
        return "stop"


def ask(narrator: Narrator, person: str) -> asyncio.Task[Finish]:
    told = narrator.tell(ASKED, person=person, on_delta=lambda _: None, on_progress=lambda *_: None)
    return asyncio.create_task(told)


async def test_a_flood_of_one_person_does_not_hold_up_another() -> None:
    """Forty requests of one person, then one of another: the other comes second or third, not last."""
    narrator = Noting()
    flood = [ask(narrator, "mallory") for _ in range(40)]
    await asyncio.sleep(0)
    await asyncio.gather(*flood, ask(narrator, "ada"))
    await narrator.sleep()
    assert narrator.told.index("ada") <= 2
    assert len(narrator.told) == 41
    assert not narrator._queues


async def test_who_gives_up_while_waiting_leaves_the_queue_whole() -> None:
    """A request that is stopped before its turn takes nobody else's with it."""
    narrator = Noting()
    asked = [ask(narrator, "ada") for _ in range(3)]
    await asyncio.sleep(0)
    asked[1].cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    await narrator.sleep()
    assert narrator.told == ["ada", "ada"]
