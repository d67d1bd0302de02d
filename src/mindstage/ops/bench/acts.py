"""What a scripted provider can do, one act after another."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Text:
    """Say exactly this, in one event."""

    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """Say so many numbered words, `tps` a second (0: at once); numbering goes on within one answer."""

    count: int
    tps: float = 0.0


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Wait until the provider is told to release."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Send these bytes of the body as they are: a broken event, a comment, half a character."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """Say an error in the middle of the stream, as vLLM and OpenRouter do."""

    message: str = "boom"


@dataclass(frozen=True, slots=True)
class Finish:
    """End the reply properly."""

    reason: str = "stop"


@dataclass(frozen=True, slots=True)
class Die:
    """Close the socket without an ending."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Send the head, if it is not sent yet, and then nothing more."""


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with an HTTP status instead of a stream."""

    code: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": {"message": "no"}}'


type Act = Text | Words | Sleep | Hold | Raw | ErrorEvent | Finish | Die | Stall | Status
