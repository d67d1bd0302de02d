"""May this be done with somebody's data? Asked by whoever would do it, answered by the room that keeps the answers.

The rooms that use a consent stand below the one that keeps them, so that one gives its answer in here when the program
opens. Until then, and whenever in doubt, the answer is no.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

type Answer = Callable[[uuid.UUID, str], bool]

_answers: list[Answer] = []


def answer_with(answer: Answer) -> None:
    """Called once, by the room that keeps the consents."""
    _answers[:] = [answer]


def may(person: uuid.UUID, purpose: str) -> bool:
    """Whether a person's data may be used for a purpose: the id of a question (datamap/questions.py)."""
    return bool(_answers) and _answers[0](person, purpose)
