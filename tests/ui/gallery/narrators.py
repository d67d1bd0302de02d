# ruff: noqa: E501  sample texts are lines of prose
"""Who narrates, an installation under way, and a page for what went wrong."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from mindstage.ui import views as ui


def models(request: HttpRequest) -> HttpResponse:
    narrators = [
        {
            "id": "smollm2",
            "title": "SmolLM2",
            "disclosure": "On this machine · nothing leaves",
            "leaves": False,
            "note": "Quick and small: it shows how everything works, and soon loses the thread. For real stories install the one below.",
            "active": True,
            "tiny": True,
            "installable": False,
            "installation": None,
        },
        {
            "id": "story-1.5b",
            "title": "Story 1.5B",
            "disclosure": "On this machine · nothing leaves",
            "leaves": False,
            "note": "Writes well enough to be carried along.",
            "active": False,
            "tiny": False,
            "installable": True,
            "size_label": "1.2 GB",
            "installation": {
                "id": "story-1.5b",
                "url": "/models/story-1.5b/installation/",
                "share": 0.37,
                "say": "9 of 22 parts are here and checked.",
                "state": "running",
            },
        },
        {
            "id": "away",
            "title": "A server elsewhere",
            "disclosure": "Via Example, Ireland · the prompt leaves this machine",
            "leaves": True,
            "note": "",
            "active": False,
            "tiny": False,
            "installable": False,
            "installation": None,
        },
    ]
    return render(request, "ui/models.html", {"narrators": narrators})


def installation(request: HttpRequest, model_id: str) -> HttpResponse:
    return render(
        request,
        "ui/_narrator.html",
        {
            "narrator": {
                "id": model_id,
                "title": "Story 1.5B",
                "disclosure": "Runs on this machine once it is installed",
                "active": False,
                "installation": {"id": model_id, "share": 1.0, "say": "Installed.", "state": "done"},
            }
        },
    )


def problem(request: HttpRequest) -> HttpResponse:
    return ui.problem(
        request,
        status=404,
        title="There is nothing here",
        sentence="The page does not exist, or it is not yours to open.",
        next_step="Go to your desk to see what is yours.",
    )
