"""Which of the words that a model has read it may keep: those that were read beside nothing that is gone. Pure.

A model of this machine does not read words again that only moved, because old turns left the prompt before them or the
lore of one line went with that line (llama.cpp shifts what it holds of them). But they were read *beside* what left,
and bear its traces. What still stands in the story may leave such traces; what its person deleted or replaced may not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Keep(StrEnum):
    """What of an earlier prompt stays: all words that come again, only an unchanged beginning, or none."""

    MOVED = "moved"
    BEGINNING = "beginning"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Sources:
    """The texts behind one prompt, by name. `stage`: of which any part may be told, and each other part not.

    `told`: the turns in the prompt. `stands`: those and further ones that are known to be in the story still.
    """

    stage: bytes
    told: frozenset[UUID]
    stands: frozenset[UUID]


class Standing:
    """What a model's memory holds, by the names of texts: what its last prompt told, and what has left traces since."""

    def __init__(self) -> None:
        self._told: frozenset[object] = frozenset()
        self._traces: frozenset[object] = frozenset()

    @contextmanager
    def reading(self, sources: Sources | None) -> Iterator[Keep]:
        """What may be kept while a prompt of these texts is read. One that breaks off may have been read or not.

        None: a prompt of which nothing is known, so that nothing read beside it is kept beyond it.
        """
        told = {object()} if sources is None else {sources.stage, *sources.told}
        stands = told if sources is None else told | sources.stands
        left = self._told - told
        if not self._traces <= stands:
            keep = Keep.NOTHING
        elif not left <= stands:
            keep = Keep.BEGINNING
        else:
            keep = Keep.MOVED
            self._traces |= left | ({sources.stage} if sources else set())
        self._told |= told
        yield keep
        self._told = frozenset(told)
        if keep is Keep.NOTHING:
            self._traces = frozenset()

    def forget(self) -> None:
        """The memory is empty: its process has ended."""
        self._told = self._traces = frozenset()
