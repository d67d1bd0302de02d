"""The play page and its partials: turns, versions, the trash, branches, the draft, the meter."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render

from mindstage.library.correctable import Correctable
from mindstage.library.parts import Part, Shown
from mindstage.stories.views.stage import PREFIX
from ui.gallery.stage import STORY, TurnView, stage

METER = {
    "used": 716,
    "context": 1200,
    "parts": [
        {"id": name, "title": title, "tokens": tokens, "share": tokens / 1200}
        for name, title, tokens in (
            ("instructions", "Instructions", 60),
            ("scenario", "Scenario", 90),
            ("cast", "Cast", 140),
            ("lore", "Lore", 86),
            ("examples", "Example dialogue", 0),
            ("turns", "Turns", 340),
            ("free", "Free, and kept for the reply", 484),
        )
    ],
}


def play_context(turns: list[TurnView]) -> dict[str, Any]:
    marked = [replace(turn, is_last=turn is stage.turns[-1]) for turn in turns]
    return {
        "story": {"id": STORY, "title": "The Lamplighter of Vell", "persona": "Nora"},
        "turns": marked,
        "segment": uuid.UUID(int=11),
        "has_earlier": bool(turns) and turns[0].position > 0,
        "first_position": turns[0].position if turns else 0,
        "last_position": turns[-1].position if turns else 0,
        "running": stage.running,
        "cast": [
            {"name": "Oswin Tarn", "role": "Lamplighter, forty years.", "face": "Oswin Tarn, lamplighter"},
            {"name": "Pim", "role": "The ferrier’s boy.", "face": "Pim the ferrier"},
        ],
        "disclosure": "Narrated by AI · SmolLM2 on this machine · nothing leaves",
        "leaves": False,
        "route_note": "This is a tiny demo model: quick, and soon lost.",
        "draft": {"mode": "do", "text": ""},
        "meter": METER,
        "lore": [{"name": "The ninth lamp", "key": "ninth"}, {"name": "The lampwrights’ oath", "key": ""}],
    }


def story(request: HttpRequest, story_id: uuid.UUID) -> HttpResponse:
    return render(request, "stories/play.html", play_context(stage.turns[-50:]))


def turns(request: HttpRequest, story_id: uuid.UUID) -> HttpResponse:
    if "after" in request.GET:
        context = play_context([turn for turn in stage.turns if turn.position > int(request.GET["after"])])
        return render(request, "stories/_turns.html", {**context, "has_earlier": False})
    before = [turn for turn in stage.turns if turn.position < int(request.GET["before"])]
    return render(request, "stories/_turns.html", play_context(before[-50:]))


def turn(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    return partial(request, find(turn_id))


def partial(request: HttpRequest, *found: TurnView) -> HttpResponse:
    return render(request, "stories/_turns.html", {**play_context(list(found)), "has_earlier": False})


def find(turn_id: uuid.UUID) -> TurnView:
    for known in stage.turns:
        if known.id == turn_id:
            return known
    raise Http404


def variants(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    old = find(turn_id)
    new = replace(
        old,
        id=uuid.uuid4(),
        text=request.POST["text"],
        edited=True,
        state="finished",
        problem="",
        variant_number=2,
        variant_count=2,
        variant_ids=(old.id, None),
    )
    stage.turns[stage.turns.index(old)] = new
    return partial(request, new)


def choice(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    old = find(turn_id)
    back = request.POST["variant"] == str(old.variant_ids[0])
    new = replace(
        old,
        id=uuid.UUID(request.POST["variant"]),
        text="The other version.",
        variant_number=1 if back and old.variant_count == 2 else 2,
        variant_ids=(old.id, old.id) if old.variant_count > 2 else (None, old.id) if back else (old.id, None),
    )
    stage.turns[stage.turns.index(old)] = new
    return partial(request, new)


trashed: list[TurnView] = []


def trash(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    gone = find(turn_id)
    trashed.append(gone)
    stage.turns.remove(gone)
    return HttpResponse(f'<article class="turn" id="t-{gone.id}" data-gone></article>')


def trash_undo(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    back = trashed.pop()
    stage.turns.insert(back.position, back)
    return partial(request, back)


def branches(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    return HttpResponseRedirect(f"/stories/{story_id}/?branch=1")


def draft(request: HttpRequest, story_id: uuid.UUID) -> HttpResponse:
    gate, stage.draft_gate = stage.draft_gate, None
    if gate:
        gate.wait(10)  # this save is slow, those after it are not
    if stage.draft_refusals:
        status, sentence = stage.draft_refusals.pop(0)
        return JsonResponse({"say": sentence}, status=status)
    stage.drafts.append({"mode": request.POST["mode"], "text": request.POST["text"]})
    return HttpResponse(status=204)


def context(request: HttpRequest, story_id: uuid.UUID) -> HttpResponse:
    return render(
        request, "stories/context.html", {"meter": METER, "lore": [{"name": "Low water", "key": "drawn down"}]}
    )


def branch_list(request: HttpRequest, story_id: uuid.UUID) -> HttpResponse:
    ways = [
        {
            "id": uuid.UUID(int=11),
            "here": True,
            "words": "The glass is cold. It should not be.",
            "left_at": None,
            "last_position": 32,
        },
        {
            "id": uuid.UUID(int=12),
            "here": False,
            "words": "You hand the pole back and ask about Edda instead.",
            "left_at": 14,
            "last_position": 19,
        },
    ]
    return render(request, "stories/branches.html", {**play_context(stage.turns), "branches": ways})


def corrections(request: HttpRequest, story_id: uuid.UUID) -> HttpResponse:
    """What the narrator knows, with one text that another tab has corrected too."""
    world = [(Correctable("premise", "Premise", "A lamplighter counts nine lamps. " * 9), "")]
    member = [(Correctable("cast.0.description", "Description", "Old."), "Averylongwordthatnobodywouldwrite" * 4)]
    lore = [(Correctable("lore.0.keys", "Words that call it up", "lamp\nlight", several=True), "")]
    groups = [Shown("world", "", world), Shown("cast", "Oswin Tarn", member), Shown("lore", "The ninth lamp", lore)]
    part = Part([], number=2, count=28, more=2)
    shown = {"story": {"id": story_id, "title": "The Lamplighter of Vell"}, "groups": groups, "part": part}
    return render(request, "stories/stage.html", shown | {"prefix": PREFIX, "problem": "Nothing was changed yet."})
