"""A story as a child would keep it: each branch a list of cells of its own, shared with the line it left."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field


@dataclass
class Cell:
    """One place: its texts, which of them is chosen, and whether it lies in the trash."""

    texts: list[str]
    ids: list[uuid.UUID]
    chosen: int = 0
    trashed: bool = False
    reply: bool = False

    @property
    def text(self) -> str:
        return self.texts[self.chosen]

    def add(self, text: str, ident: uuid.UUID) -> None:
        self.texts.append(text)
        self.ids.append(ident)
        self.chosen = len(self.texts) - 1


@dataclass
class Tree:
    """`paths`: the whole line of every branch, from the opening on. Nothing is ever taken out of one."""

    paths: dict[uuid.UUID, list[Cell]] = field(default_factory=dict)
    head: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def path(self) -> list[Cell]:
        return self.paths[self.head]

    def branch(self, segment: uuid.UUID, at: int) -> None:
        """Another line whose first own cell will stand at `at`."""
        self.paths[segment] = self.path[:at]
        self.head = segment

    def read(self, *, before: int | None = None, above: int = -1, limit: int = 10_000) -> list[tuple[int, str]]:
        seen = [(at, cell.text) for at, cell in enumerate(self.path) if not cell.trashed]
        within = [pair for pair in seen if pair[0] > above and (before is None or pair[0] < before)]
        return within[-limit:] if limit else []
