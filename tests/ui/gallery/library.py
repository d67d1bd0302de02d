# ruff: noqa: E501  sample texts are lines of prose
"""The desk and the landing page, a scenario, the characters."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from mindstage.library.views.lists import Typed
from mindstage.ui import prose
from ui.gallery.stage import STORY, stage

NOW = datetime(2026, 11, 20, 21, 6, tzinfo=UTC)
STARTERS = [
    {"slug": slug, "title": title, "tagline": line, "genre": genre}
    for slug, title, line, genre in (
        ("lamp", "The Lamplighter of Vell", "Learn to light nine lamps. Don’t ask about the last.", "Quiet fantasy"),
        ("salt", "Salt Year", "The sea went out a year ago and has not come back.", "Slow disaster"),
        ("mutiny", "A Quiet Mutiny", "Eleven sailors, one boat, nobody raises a voice.", "At sea"),
        ("doors", "Seven Doors to Winter", "A hotel counts its rooms, and one is new.", "Uncanny"),
        ("train", "Night Train to Osmery", "You have the wrong ticket for the right train.", "Noir"),
        ("orchard", "The Orchard Below", "Something under the roots remembers your family.", "Folk horror"),
    )
]
TYPED = Typed(greeting=0, persona="", played=None, books=frozenset())
CHARACTERS = [
    {"id": uuid.UUID(int=3), "name": "Oswin Tarn", "line": "An old lamplighter with one good ear.", "made_at": NOW},
    {"id": uuid.UUID(int=4), "name": "Captain Breck x", "line": "Captain of the canal watch; owes a debt."},
]


def card(title: str, excerpt: str, days: int, turns: int) -> dict[str, Any]:
    when = NOW - timedelta(days=days)
    return {
        "id": STORY,
        "title": title,
        "byline": "with Oswin",
        "excerpt": excerpt,
        "turns": turns,
        "when": when,
        "url": f"/stories/{STORY}/",
    }


def home(request: HttpRequest) -> HttpResponse:
    if not stage.person:
        return render(request, "library/landing.html", {"starters": STARTERS})
    resume = card(
        "The Lamplighter of Vell",
        "“The ninth lamp has never gone out,” Oswin says, and does not look at it. “We light the others so that nobody counts.”",
        1,
        32,
    )
    also = [
        card("A Quiet Mutiny", "The cook sets down two bowls and asks, lightly, which of you is still hungry.", 4, 58),
        card(
            "Night Train to Osmery",
            "The conductor punches your ticket twice. The second hole is shaped like a key.",
            20,
            12,
        ),
        card(
            "Seven Doors to Winter",
            "Room five is warm. You are quite sure that room five was shut on Tuesday.",
            90,
            104,
        ),
    ]
    some = {"resume": resume, "also": also, "characters": CHARACTERS, "story_count": 7}
    none = {"resume": None, "also": [], "characters": [], "story_count": 0}
    return render(request, "library/home.html", {**(none if stage.nothing else some), "starters": STARTERS})


def scenario(request: HttpRequest, slug: str) -> HttpResponse:
    opening = prose.render("By the last bell the canal has drawn down to its ribs.\n\nOswin takes off his hat.")
    starter = {
        **STARTERS[0],
        "premise": "Vell is lit by nine lamps, and nobody born there will say why the ninth is never let go out. You have come on the night boat, with someone else’s letter, to be the new apprentice.",
        "persona_hint": "The apprentice has no name yet.",
        "lore_count": 5,
        "cast": [
            {"name": "Oswin Tarn", "role": "Lamplighter, forty years. Hears on the left side only."},
            {"name": "Pim the ferrier", "role": "The ferrier’s boy. Nine, or says so."},
        ],
        "openings": [(0, "At low water", opening), (1, "On the night boat", opening)],
    }
    return render(request, "library/scenario.html", {"starter": starter, "typed": TYPED})


def characters(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        if b"bad" in request.FILES["card"].read():
            sentence = "This file is not a character card: it is neither JSON nor PNG. Nothing was kept."
            return render(request, "library/character_new.html", {"problem": sentence}, status=422)
        return HttpResponseRedirect("/characters/00000000-0000-0000-0000-000000000003/")
    return render(request, "library/characters.html", {"characters": CHARACTERS})


def character(request: HttpRequest, character_id: uuid.UUID) -> HttpResponse:
    greeting = prose.render(
        "*He looks up from the wick.* “You’ll be told this one’s like the rest. Say yes when they tell you.”"
    )
    about = {
        "id": character_id,
        "name": "Oswin Tarn",
        "creator": "Ada Renn",
        "creator_notes": prose.render("Best in **slow** scenes."),
        "tags": ["lamps", "quiet"],
        "openings": [(0, "Opening 1", greeting), (1, "Opening 2", prose.render("You again."))],
        "has_portrait": False,
        "notices": ["This card carries a script of its own. Mindstage keeps it and never runs it."],
    }
    return render(request, "library/character.html", {"character": about, "typed": TYPED})
