"""The beginnings of long texts, for the pages that offer a story: no card and no scenario can hold a page up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.safestring import SafeString

from mindstage.ui import prose

WHOLE, GLIMPSE, ROOM = 4_000, 400, 60_000
"""Characters shown of one text; of each opening once all together passed ROOM. The story itself gets every word."""


def glimpse(text: str, most: int = WHOLE) -> SafeString:
    """The text as HTML, cut when it is long."""
    return prose.render(text if len(text) <= most else f"{text[:most]}…")


def label_openings(openings: Iterable[str]) -> list[tuple[int, str, SafeString]]:
    """Openings without titles of their own, to choose from: number, label, text as HTML."""
    return [(index, f"Opening {index + 1}", text) for index, text in preview(openings)]


def preview(openings: Iterable[str]) -> Iterator[tuple[int, SafeString]]:
    """Each opening by its number. Long and many ones are cut."""
    shown = 0
    for index, opening in enumerate(openings):
        most = WHOLE if shown < ROOM else GLIMPSE
        shown += min(len(opening), most)
        yield index, glimpse(opening, most)
