"""The program and the model of its protocol, side by side: each deed is done on both, and an onlooker compares them.

Where the power failed, the model cannot know after which write: every moment at which its course stands still is a
world that the program may be in. Those that look as the program does are kept; when none is left, the program did
something that the protocol does not allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mindstage.kit import clock
from mindstage.vault.clocks import slow_date
from mindstage.vault.start_check import Mode
from vault.onlooker import Onlooker, View, look_at
from vault.protocol import House
from vault.protocol_model import OPEN, Course, World
from vault.protocol_return import artefacts, put_back, start

Deed = Callable[[World], Course]


class Disagreement(AssertionError):
    """The program is nowhere that the model could be."""


class Twin:
    """A house, and the worlds of the model that it may be."""

    def __init__(self, house: House) -> None:
        self.house, self.worlds = house, [World()]
        self.onlooker = Onlooker(house, slow_date())
        for _ in self.run(World.copy_keystore):
            pass

    # ---- deeds

    def run(self, deed: Deed) -> list[World]:
        """Do it in every world, to its end."""
        self._tell_time()
        for world in self.worlds:
            for _ in deed(world):
                pass
        return self.worlds

    def cut_off(self, deed: Deed) -> None:
        """Do it in every world, cut off at every write: as many worlds."""
        self._tell_time()
        found = []
        for world in self.worlds:
            found.append(world.clone())
            found += [world.clone() for _ in deed(world)]
        self.worlds = found

    def _tell_time(self) -> None:
        with self.house.time():
            today = self.onlooker.day(clock.today())
        for world in self.worlds:
            world.wall, world.escrow_here = today, self.house.escrow_here

    def start(self) -> Mode:
        """Start both. They end in the same mode."""
        mode = self.house.start()
        self.run(start)
        self._keep([world for world in self.worlds if world.mode == mode], f"the program is {mode}", self.worlds)
        if mode == OPEN:
            self.compare()
        return mode

    @contextmanager
    def clone(self) -> Iterator[None]:
        """Whatever happens in the block, everything is as before after it."""
        before, self.worlds = self.worlds, [world.clone() for world in self.worlds]
        try:
            with self.house.clone():
                yield
        finally:
            self.worlds = before

    # ---- comparing

    def compare(self, seen: View | None = None) -> None:
        """Keep the worlds that look as the program does. Raises Disagreement when there are none."""
        self._tell_time()
        seen = seen or self.onlooker.look()
        looks = [(world, look_at(world)) for world in self.worlds]
        if not any(look == seen for _, look in looks):
            nearest = min((look for _, look in looks), key=lambda look: len(_differences(seen, look)))
            raise Disagreement("\n".join(["the program, the model:", *_differences(seen, nearest)]))
        self._keep([world for world, look in looks if look == seen], "", [])

    def _keep(self, worlds: list[World], said: str, before: list[World]) -> None:
        if not worlds:
            raise Disagreement(f"{said}, the model {[world.mode for world in before]}")
        self.worlds = [world for n, world in enumerate(worlds) if world not in worlds[:n]]

    # ---- what others keep

    def keep_for_attacker(self) -> None:
        self.onlooker.keep_for_attacker()
        for world in self.worlds:
            world.keep_for_attacker()

    def keep_files(self, at_most: int) -> None:
        for world in self.worlds:
            world.past = [*world.past[-at_most:], artefacts(world)]

    def put_back(self, back: int, names: str) -> None:
        for world in self.worlds:
            put_back(world, world.past[-back], names)

    def lose(self, names: str) -> None:
        self.house.put(dict.fromkeys(names), names)
        for world in self.worlds:
            put_back(world, dict.fromkeys(names), names)


def _differences(program: Any, model: Any, place: str = "") -> list[str]:
    if isinstance(program, dict) and isinstance(model, dict):
        names = [name for name in program | model if program.get(name) != model.get(name)]
        return [line for name in names for line in _differences(program.get(name), model.get(name), f"{place} {name}")]
    return [f"{place}: {program} | {model}"]
