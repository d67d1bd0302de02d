"""The scenarios that come with the program, open to everybody, and those that somebody kept for themselves."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mindstage.accounts.access import SignedInRequest, require_visitor, visitor_of
from mindstage.library.choosing import list_choices
from mindstage.library.contents import Kind
from mindstage.library.materials import find_material
from mindstage.library.previews import glimpse, preview
from mindstage.library.staging import parts_of_scenario, stage_parts_of_starter
from mindstage.library.starters import Starter, starter
from mindstage.library.views.lists import say_lost
from mindstage.prompts.history import NAMELESS
from mindstage.ui import prose
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable


@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """One scenario: premise, cast, openings. What the narrator knows beyond that is not shown."""
    try:
        found = starter(slug)
    except KeyError:
        raise Http404 from None
    visitor = visitor_of(request)
    choices = list_choices(visitor.account_id, whole="all" in request.GET) if visitor else {}
    return render(request, "library/scenario.html", {"starter": _describe(found, persona=NAMELESS), **choices})


@require_safe
@require_visitor
def show_own(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """A scenario of one's own, and the way into a story."""
    scenario = find_material(request.visitor.account_id, ident, Kind.SCENARIO)
    if scenario is None:
        raise Http404
    try:
        parts = parts_of_scenario(scenario, NAMELESS, Purpose.SHOW)
    except (KeyGone, Unreadable):
        return say_lost(request, Kind.SCENARIO, ident)
    context = {
        "id": scenario.pk,
        "title": parts.title,
        "byline": parts.byline,
        "premise": glimpse(parts.premise),
        "cast": [{"name": name, "role": line} for name, line in parts.roles],
        "lore_count": len(parts.lore),
        "openings": [(at, f"Opening {at + 1}", text) for at, text in preview(parts.greetings)],
    }
    choices = list_choices(request.visitor.account_id, whole="all" in request.GET)
    return render(request, "library/own_scenario.html", {"scenario": context, **choices})


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
