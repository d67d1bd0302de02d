"""A story as SillyTavern chats (JSON Lines): no tree there, so one file for each leaf, versions as swipes.

Format as in SillyTavern 1.19: public/global.d.ts. What its fields cannot say stands under `extra.mindstage`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from django.db.models import OuterRef, Subquery

from mindstage.stories.editions.opening import Opened, Spot, Version, read_path
from mindstage.stories.models import Segment, Turn

NARRATOR = "Narrator"
MOST_MESSAGES = 500_000
"""In the chats of one story together. Each tells its line from the opening on, so a tree of many branches on a long
line would be written out as many times as it has leaves: a small archive that was brought in could fill the disk."""


def list_leaves(story: Opened) -> list[Segment]:
    """The leaves that get a chat: the one that is played, and of the others the newest, up to MOST_MESSAGES."""
    leaves = _find_leaves(story)
    newest = sorted(leaves, key=lambda leaf: (leaf.pk == story.row.head_id, leaf.pk), reverse=True)
    lengths = accumulate(1 + max(leaf.fork, getattr(leaf, "last", None) or 0) for leaf in newest)
    told = {leaf.pk for leaf, length in zip(newest, lengths, strict=True) if length <= MOST_MESSAGES}
    return [leaf for leaf in leaves if leaf.pk in told or leaf.pk == story.row.head_id]


def _find_leaves(story: Opened) -> list[Segment]:
    """The segments whose end is no other branch's middle; the one that is played always. The oldest first."""
    # A look at the end of each segment's index: a grouped join would lay a line for each turn into memory.
    last = Turn.objects.filter(segment=OuterRef("pk")).order_by("-position").values("position")[:1]
    segments = list(Segment.objects.filter(story=story.id).order_by("id").annotate(last=Subquery(last)))
    forks: dict[uuid.UUID, int] = {}
    for segment in segments:
        if segment.parent_id is not None and segment.last is not None:
            forks[segment.parent_id] = max(forks.get(segment.parent_id, 0), segment.fork)
    return [
        segment
        for segment in segments
        if segment.pk == story.row.head_id or (segment.last is not None and segment.last >= forks.get(segment.pk, 0))
    ]


def chat_name(story: Opened, number: int, leaf: Segment) -> str:
    return f"{number:02}-played.jsonl" if leaf.pk == story.row.head_id else f"{number:02}.jsonl"


def to_chat(story: Opened, leaf: Segment, *, main_chat: str = "") -> Iterator[bytes]:
    """One branch from the opening to its end."""
    metadata: dict[str, Any] = {"integrity": str(leaf.pk), "mindstage": {"story": str(story.id), "title": story.title}}
    if main_chat:
        metadata["main_chat"] = main_chat.removesuffix(".jsonl")
    head = {"chat_metadata": metadata, "user_name": "unused", "character_name": "unused"}
    yield _line(head)
    for spot in read_path(story.id, leaf.pk):
        yield _line(_message(story, spot))


def _message(story: Opened, spot: Spot) -> dict[str, Any]:
    """A place as a message. Lines without a speaking character are narration, which readers of the format keep."""
    mine = spot.kind not in (Turn.Kind.OPENING, Turn.Kind.REPLY)
    speaker = story.stage.persona if mine else story.stage.speaker
    told = spot.kind == Turn.Kind.STORY or not speaker
    return {
        "name": speaker or NARRATOR,
        "is_user": mine,
        "is_system": False,
        "send_date": _moment(spot.shown),
        "mes": spot.shown.words,
        "extra": _extra(spot.kind, spot.shown, narration=told),
        "swipes": [version.words for version in spot.versions],
        "swipe_id": spot.versions.index(spot.shown),
        "swipe_info": [
            {"send_date": _moment(version), "extra": _extra(spot.kind, version, narration=told)}
            for version in spot.versions
        ],
    }


def _extra(kind: str, version: Version, *, narration: bool) -> dict[str, Any]:
    ours = {"kind": kind, "state": version.state, "edited": version.edited}
    return {"mindstage": ours} | ({"type": "narrator"} if narration else {})


def _moment(version: Version) -> str:
    return version.made_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
