"""What an OpenAI-like server says in one event of a streamed answer. Pure."""

import json
from typing import Any, Final, Literal, NamedTuple

type Finish = Literal["stop", "length"]

DONE: Final = b"[DONE]"


_read_json: Final = json.JSONDecoder().decode
"""Without json.loads, which looks for an encoding first: there is one in an event stream, UTF-8."""


class BrokenEvent(Exception):
    """Not JSON, not an object, or an error said in the middle of the stream."""


class Event(NamedTuple):
    """One event: some text, perhaps the end, perhaps how much of the prompt has been read (0 to 1).

    `thinks`: some of a thought, which the server keeps apart from the text.
    """

    text: str = ""
    finish: Finish | None = None
    read: float | None = None
    thinks: bool = False


def parse_event(data: bytes) -> Event:
    """Read one payload. An error object raises BrokenEvent as surely as damaged JSON does."""
    if data == DONE:
        return Event(finish="stop")
    try:
        said = _read_json(data.decode())
    except (ValueError, RecursionError):
        raise BrokenEvent from None
    if not isinstance(said, dict) or said.get("error"):
        raise BrokenEvent
    choices = said.get("choices")
    if not choices:
        return Event(read=_share_read(said))
    return _read_choice(choices, said)


def _read_choice(choices: Any, said: dict[str, Any]) -> Event:
    choice = choices[0] if isinstance(choices, list) else None
    if not isinstance(choice, dict):
        raise BrokenEvent
    delta = choice.get("delta")
    text = delta.get("content") if isinstance(delta, dict) else None
    thinks = isinstance(delta, dict) and bool(delta.get("reasoning_content") or delta.get("reasoning"))
    reason = choice.get("finish_reason")
    if reason == "error":
        raise BrokenEvent
    finish: Finish | None = None if reason is None else "length" if reason == "length" else "stop"
    return Event(text if isinstance(text, str) else "", finish, _share_read(said), thinks)


def _share_read(said: dict[str, Any]) -> float | None:
    progress = said.get("prompt_progress")  # llama.cpp says it when asked with return_progress
    if not isinstance(progress, dict):
        return None
    total, done = progress.get("total"), progress.get("processed")
    if not isinstance(total, int) or not isinstance(done, int) or total < 1:
        return None
    return min(1.0, max(0.0, done / total))
