"""What `mindstage doctor` found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

type Level = Literal["ok", "warning", "mistake"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, in one sentence, and what to do next if anything."""

    name: str
    level: Level
    sentence: str
    next_step: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
