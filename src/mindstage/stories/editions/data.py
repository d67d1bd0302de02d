"""A story as JSON: one head, and its turns in parts of some 2 MB. docs/schemas/export-1.json describes both."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC
from json import encoder
from typing import Any

from mindstage.stories.editions.opening import Opened, as_json_moment, read_pages
from mindstage.stories.models import Draft, Segment, Story
from mindstage.vault import raw
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

STORY, TURNS = "mindstage-story-1", "mindstage-turns-1"
PART_BYTES = 2_000_000
_quoted = getattr(encoder, "c_encode_basestring", None) or encoder.encode_basestring


def to_head(story: Opened) -> dict[str, Any]:
    """Everything but the turns."""
    return {
        "format": STORY,
        "id": str(story.id),
        "title": story.title,
        "stage": asdict(story.stage),
        "route": story.row.route,
        "played_at": story.modified.isoformat(),
        "trashed_on": story.row.trashed_on and story.row.trashed_on.isoformat(),
        "head": None if story.row.head_id is None else str(story.row.head_id),
        "segments": [
            {"id": str(segment.pk), "parent": segment.parent_id and str(segment.parent_id), "fork": segment.fork}
            for segment in _segments(story.id)
        ],
        "drafts": [_draft(draft) for draft in Draft.objects.filter(story=story.id).order_by("mode")],
    }


def to_lost_head(row: Story) -> dict[str, Any]:
    """What can be said of a story whose key is gone."""
    played_at = row.played_at.astimezone(UTC).isoformat()
    return {"format": STORY, "id": str(row.pk), "unreadable": True, "route": row.route, "played_at": played_at}


def to_parts(story: uuid.UUID) -> Iterator[bytes]:
    """The turns of all segments, trash and every version too, by segment, position and variant."""
    head = f'{{"format":"{TURNS}","story":"{story}","turns":[\n'.encode()
    waiting: list[str] = []
    size = 0
    for segment in _segments(story):
        for page in read_pages(story, segment.pk):
            lines = _to_lines(segment.pk, page)
            waiting += lines
            size += sum(map(len, lines))
            if size >= PART_BYTES:
                yield head + ",\n".join(waiting).encode() + b"\n]}"
                waiting, size = [], 0
    if waiting:
        yield head + ",\n".join(waiting).encode() + b"\n]}"


def _segments(story: uuid.UUID) -> list[Segment]:
    """The oldest first, and each after the one that it leaves: two of one millisecond have no order of their own."""
    leaving: dict[uuid.UUID | None, list[Segment]] = {}
    for segment in Segment.objects.filter(story=story):
        leaving.setdefault(segment.parent_id, []).append(segment)
    ready, ordered = leaving.get(None, []), []
    while ready:
        ready.sort(key=lambda segment: segment.pk)
        ordered += ready
        ready = [branch for segment in ready for branch in leaving.get(segment.pk, [])]
    return ordered


def _to_lines(segment: uuid.UUID, page: list[tuple[Any, ...]]) -> list[str]:
    """One JSON object a turn, written by hand: this is the path that `mindstage bench export` measures."""
    begins, quoted = f'"segment":"{segment}",', _quoted
    lines = []
    for ident, position, variant, chosen, kind, state, problem, edited, trashed_at, client, text in page:
        trashed = "null" if trashed_at is None else f'"{as_json_moment(trashed_at)}"'
        asked = "null" if client is None else f'"{_dashed(client)}"'
        said = "null" if text is None else quoted(text)
        lines.append(
            f'{{"id":"{_dashed(ident)}",{begins}"position":{position},"variant":{variant},'
            f'"chosen":{"true" if chosen else "false"},"kind":"{kind}","state":"{state}","problem":{quoted(problem)},'
            f'"edited":{"true" if edited else "false"},"trashed_at":{trashed},"client_id":{asked},"text":{said}}}'
        )
    return lines


def _dashed(ident: Any) -> str:
    if not isinstance(ident, str):
        return str(raw.as_uuid(ident))
    return f"{ident[:8]}-{ident[8:12]}-{ident[12:16]}-{ident[16:20]}-{ident[20:]}"


def _draft(draft: Draft) -> dict[str, Any]:
    try:
        text = draft.open("text", Purpose.EXPORT)
    except (KeyGone, Unreadable):
        text = None
    return {"mode": draft.mode, "saved_on": draft.saved_on.isoformat(), "text": text}
