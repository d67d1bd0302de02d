"""The scenarios that come with the program: open to everybody."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mindstage.library.staging import stage_parts_of_starter
from mindstage.library.starters import Starter, starter
from mindstage.prompts.history import NAMELESS
from mindstage.ui import prose


@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """One scenario: premise, cast, openings. What the narrator knows beyond that is not shown."""
    try:
        found = starter(slug)
    except KeyError:
        raise Http404 from None
    return render(request, "library/scenario.html", {"starter": _describe(found, persona=NAMELESS)})


def _describe(found: Starter, *, persona: str) -> dict[str, object]:
    parts = stage_parts_of_starter(found, persona)
    openings = zip(found.openings, parts.greetings, strict=True)
    return {
        "slug": found.slug,
        "title": found.title,
        "genre": found.genre,
        "tagline": found.tagline,
        "premise": prose.render(found.premise),
        "persona_hint": found.persona_hint,
        "cast": [{"name": name, "role": line} for name, line in parts.roles],
        "lore_count": len(found.lore),
        "openings": [(index, opening.title, prose.render(text)) for index, (opening, text) in enumerate(openings)],
    }
