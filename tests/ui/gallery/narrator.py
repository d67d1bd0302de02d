"""A narrator that answers from a list: takes a turn, streams a reply, breaks off, is found again."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from ui.gallery.stage import TurnView, stage


@csrf_exempt
def take(request: HttpRequest, story_id: uuid.UUID, kind: str) -> HttpResponse | StreamingHttpResponse:
    body = json.loads(request.body)
    stage.takes.append({"kind": kind, **body})
    if stage.refusal:
        return JsonResponse({"say": stage.refusal[1]}, status=stage.refusal[0])
    own = None
    if kind == "turns":
        position = stage.turns[-1].position + 1
        own = TurnView(uuid.uuid4(), position, body["mode"], "Nora", body["text"])
        stage.turns.append(own)
    if body.get("act") in ("regenerate", "retry", "continue"):
        old = stage.turns.pop()
        reply = replace(
            old,
            id=uuid.uuid4(),
            text="",
            state="running",
            problem="",
            variant_number=2,
            variant_count=2,
            variant_ids=(old.id, None),
        )
    else:
        reply = TurnView(uuid.uuid4(), stage.turns[-1].position + 1, "reply", "", "", "running")
    stage.turns.append(reply)
    stage.stopped = False
    begun = {
        "turn": {"id": str(own.id), "position": own.position} if own else None,
        "reply": {"id": str(reply.id), "position": reply.position},
        "run": str(reply.id),
    }
    return stream(narrate(reply.id, begun, cut_after=stage.cut_after))


def resume(request: HttpRequest, run: uuid.UUID) -> HttpResponse | StreamingHttpResponse:
    if stage.cut_resumed:
        return stream(iter([b": nothing more\n\n"]))
    if stage.drops > 0:
        stage.drops -= 1
        return JsonResponse({"say": "Busy."}, status=503)
    return stream(narrate(run, None, after=int(request.GET.get("after") or 0)))


@csrf_exempt
def stop(request: HttpRequest, run: uuid.UUID) -> HttpResponse:
    stage.stopped = True
    return HttpResponse(status=204)


def stream(body: Iterator[bytes]) -> StreamingHttpResponse:
    return StreamingHttpResponse(body, content_type="text/event-stream")


def frame(event: str, data: dict[str, Any], number: int | None = None) -> bytes:
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data)}\n\n".encode()


def narrate(
    run: uuid.UUID, begun: dict[str, Any] | None, *, after: int = 0, cut_after: int | None = None
) -> Iterator[bytes]:
    if begun:
        yield frame("begun", begun)
        yield frame("progress", {"say": "Waking the narrator…", "share": 0.4})
        time.sleep(stage.pace * 4)
    shown = after
    state = stage.ending
    while shown < len(stage.words):
        if stage.stopped:
            state = "stopped"
            break
        piece = stage.words[shown : shown + 12]
        shown += len(piece)
        yield frame("delta", {"text": piece}, shown)
        time.sleep(stage.pace)
        if cut_after is not None and shown >= cut_after:
            return
    text = stage.words[:shown]
    said = "The narrator’s server closed the line. The words so far are kept." if state == "failed" else None
    for index, known in enumerate(stage.turns):
        if known.id == run:
            stage.turns[index] = replace(known, text=text, state=state, problem=said or "")
    yield frame("done", {"state": state, "say": said, "retry": state == "failed", "retry_after": None})
