"""A story as one Markdown file: the path that is played, in the versions that are shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mindstage.stories.editions.opening import Opened, Spot, read_path
from mindstage.stories.models import Turn
from mindstage.ui import prose

_SIGNS = re.compile(r"([\\`*_\[\]<>#|~])")


def to_markdown(story: Opened) -> Iterator[bytes]:
    """CommonMark; what its author played stands in quotes under the name they played."""
    yield f"# {escape(story.title) or 'Untitled'}\n".encode()
    if story.stage.byline:
        yield f"\n*{escape(story.stage.byline)}*\n".encode()
    if story.row.head_id is not None:
        for spot in read_path(story.id, story.row.head_id):
            yield f"\n{_to_text(story, spot)}\n".encode()


def _to_text(story: Opened, spot: Spot) -> str:
    words = spot.shown.words.replace("\r\n", "\n")
    if spot.kind in (Turn.Kind.OPENING, Turn.Kind.REPLY):
        return words
    name = f"**{escape(story.stage.persona)}:** "
    match spot.kind:
        case Turn.Kind.SAY:
            words = name + prose.spoken(words)
        case Turn.Kind.DO:
            words = name + words
        case Turn.Kind.OOC:
            words = f"{name}(out of character) {words}"
    return "\n".join(f"> {line}".rstrip() for line in words.split("\n"))


def escape(text: str) -> str:
    """A name or title on one line, without any meaning to Markdown."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))
