"""Whether JSON from elsewhere can be read as a stage."""

from __future__ import annotations

from typing import Any

from mindstage.kit.shapes import conforms
from mindstage.stories.stage import Stage


def stage_fits(value: Any) -> bool:
    """Whether `value` can be read as a stage, to the last entry of its lore. It may have more fields."""
    return conforms(value, Stage)
