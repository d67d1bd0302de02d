"""The scenarios that come with the program, open to everybody, and those that somebody kept for themselves."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from mindstage.accounts.access import SignedInRequest, require_visitor, visitor_of
from mindstage.library.choosing import list_choices
from mindstage.library.contents import Kind
from mindstage.library.materials import find_material
from mindstage.library.previews import glimpse, label_openings
from mindstage.library.staging import parts_of_scenario, stage_parts_of_starter
from mindstage.library.starters import Starter, starter
from mindstage.library.views.lists import say_lost, typed_for
from mindstage.prompts.history import NAMELESS
from mindstage.ui import prose
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """One scenario: premise, cast, openings; what the narrator knows beyond that is not shown.

    POST: with what was typed on the page already. Nothing is stored.
    """
    try:
        found = starter(slug)
    except KeyError:
        raise Http404 from None
    visitor = visitor_of(request)
    choices = list_choices(visitor.account_id, whole="all" in request.GET) if visitor else {}
    context = {"starter": _describe(found, persona=NAMELESS), "typed": typed_for(request), **choices}
    return render(request, "library/scenario.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require_visitor
def show_own(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """A scenario of one's own, and the way into a story. POST: with what was typed on the page already."""
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
        "openings": label_openings(parts.greetings),
        "marks": parts.marks,
    }
    choices = list_choices(request.visitor.account_id, whole="all" in request.GET)
    context = {"scenario": context, "typed": typed_for(request), **choices}
    return render(request, "library/own_scenario.html", context)


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
        "marks": parts.marks,
    }
